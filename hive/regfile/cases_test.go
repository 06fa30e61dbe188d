package regfile

import "strings"

// cases are files and what becomes of them, by the topics of the format: first lines, lines, comments, keys, values, dword and hex data,
// continued lines, encodings, limits, Windows 3.1. The root HKEY_CURRENT_USER is written ~.
var cases = []struct{ name, in, want string }{
	{"header only", "REGEDIT4", `
`},
	{"header behind blanks", ` 	 REGEDIT4
[HKEY_CURRENT_USER\K]
`, `
2:1 [~\K]
`},
	{"header that imports nothing", `REGEDIT4 FOO
[HKEY_CURRENT_USER\K]
`, `
! 1:1 bad-text loss 
`},
	{"header with a blank at its end", "REGEDIT4 \n[HKEY_CURRENT_USER\\K]\n", `
! 1:1 bad-text loss 
`},
	{"line ends", "Windows Registry Editor Version 5.00\n[HKEY_CURRENT_USER\\K]\r\"a\"=\"1\"\r\n\"b\"=\"2\"\n\r\"c\"=\"3\"", `
2:1 [~\K]
3:1 "a"=SZ "1"
4:1 "b"=SZ "2"
6:1 "c"=SZ "3"
`},
	{"blanks before and behind everything", "REGEDIT4\n \t[HKEY_CURRENT_USER\\K]\n\t \"a\" \t= \t\"1\" \t\n @ = dword: \t1 ;x\n\n  \t\n\"c\"\t=\t-\t", `
2:3 [~\K]
3:3 "a"=SZ "1"
4:2 ""=DWORD 01000000
7:1 "c"=-
`},
	{"unknown lines", `REGEDIT4
[HKEY_CURRENT_USER\K]
# "a"="1"
foo
"b"="2"
`, `
2:1 [~\K]
5:1 "b"=SZ "2"
! 3:1 stray-line
! 4:1 stray-line
`},
	{"comments", `REGEDIT4
;[HKEY_CURRENT_USER\X]
[HKEY_CURRENT_USER\K]
;"a"="1"\
"b"="2"; x
"c"=dword:3;x
"d"=hex:4 ;x
"e"=hex:5,;x
"f"=-;x
"g"=hex:6,\;x
  7
"h"=";#"
`, `
3:1 [~\K]
5:1 "b"=SZ "2"
6:1 "c"=DWORD 03000000
7:1 "d"=BINARY 04
8:1 "e"=BINARY 05
9:1 "f"=-
10:1 "g"=BINARY 0607
12:1 "h"=SZ ";#"
! 7:9 doubtful
! 8:9 doubtful
! 10:9 doubtful
`},
	{"a number sign is no comment", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"="1"#x
"b"=dword:2 #x
"c"=hex:3#x
"d"=-#x
"e"=hex:5,\#x
  6
"f"="1"
`, `
2:1 [~\K]
9:1 "f"=SZ "1"
! 3:8 bad-line loss ~\K
! 4:13 bad-line loss ~\K
! 5:10 bad-line loss ~\K
! 6:6 bad-line
! 7:12 bad-line loss ~\K
`},
	{"comment instead of data", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=;"1"
"b"=#"1"
"c"=
`, `
2:1 [~\K]
! 3:5 bad-line loss ~\K
! 4:5 bad-line loss ~\K
! 5:5 bad-line loss ~\K
`},
	{"roots", `REGEDIT4
[HKEY_LOCAL_MACHINE\K]
[HKEY_USERS\K]
[HKEY_CLASSES_ROOT\K]
[HKEY_CURRENT_CONFIG\K]
[hkey_Current_User\K]
[HKEY_USERS]
`, `
2:1 [HKEY_LOCAL_MACHINE\K]
3:1 [HKEY_USERS\K]
4:1 [HKEY_CLASSES_ROOT\K]
5:1 [HKEY_CURRENT_CONFIG\K]
6:1 [~\K]
7:1 [HKEY_USERS]
`},
	{"short roots", `REGEDIT4
[HKLM\K]
"a"="1"
[-hkcu\K]
`, `
2:1 [HKEY_LOCAL_MACHINE\K]
3:1 "a"=SZ "1"
4:1 [-~\K]
! 2:1 doubtful
! 4:1 doubtful
`},
	{"unknown root", `REGEDIT4
[HKEY_CURRENT_USER\K]
[HKEY_CURRENT_USERS\K]
"a"="1"
"b"="2"
[HKEY_DYN_DATA]
[\HKEY_USERS]
[]
[-HKEY_NONE\X]
[]]
`, `
2:1 [~\K]
! 3:1 no-such-root loss 
! 6:1 no-such-root loss 
! 7:1 no-such-root loss 
! 8:1 no-such-root loss 
! 9:1 no-such-root
! 10:1 no-such-root loss 
`},
	{"blank in the brackets", `REGEDIT4
[HKEY_CURRENT_USER\K]
[ HKEY_CURRENT_USER\A]
"a"="1"
"b"="2"
[-	HKEY_CURRENT_USER\K]
[ -HKEY_CURRENT_USER\K]
"c"="3"
`, `
2:1 [~\K]
4:1 "a"=SZ "1"
5:1 "b"=SZ "2"
8:1 "c"=SZ "3"
! 3:1 bad-line loss ~\A
! 4:1 doubtful
! 6:1 bad-line
! 7:1 bad-line
! 8:1 doubtful
`},
	{"missing bracket", `REGEDIT4
"a"="1"
[HKEY_CURRENT_USER\K
"b"="2"
HKEY_CURRENT_USER\K]
[HKEY_CURRENT_USER\K]
[HKEY_CURRENT_USER\L
"c"="3"
[-HKEY_CURRENT_USER\K
`, `
6:1 [~\K]
8:1 "c"=SZ "3"
! 2:1 bad-line loss 
! 3:1 bad-line loss ~\K
! 5:1 bad-line loss ~\K
! 7:1 bad-line loss ~\L
! 8:1 doubtful
! 9:1 bad-line
`},
	{"no opening bracket, or something in front of it", `REGEDIT4
[HKEY_CURRENT_USER\K]
HKEY_CURRENT_USER\A
"a"="1"
-[HKEY_CURRENT_USER\B]
HKCU\C] ; x
x [HKEY_CURRENT_USER\D]
(HKEY_CURRENT_USER\E)
"b"="2"
# [HKEY_CURRENT_USER\F]
// [HKEY_CURRENT_USER\F]
see HKEY_CURRENT_USER\F
see [HKEY_CURRENT_USER\F] there
HKEY_CURRENT_USER\F = x
HKEY_CURRENT_USER
HKEY_CURRENT_USERS\F
`, `
2:1 [~\K]
4:1 "a"=SZ "1"
9:1 "b"=SZ "2"
! 3:1 bad-line loss ~\A
! 4:1 doubtful
! 5:1 bad-line
! 6:1 bad-line loss ~\C
! 7:1 bad-line loss ~\D
! 8:1 bad-line loss ~\E
! 9:1 doubtful
! 10:1 stray-line
! 11:1 stray-line
! 12:1 stray-line
! 13:1 stray-line
! 14:1 stray-line
! 15:1 stray-line
! 16:1 stray-line
`},
	{"the last bracket closes", `REGEDIT4
[HKEY_CURRENT_USER\a]b] ; x
[HKEY_CURRENT_USER\c ]
[HKEY_CURRENT_USER\"/;] x ]
`, `
2:1 [~\a]b]
3:1 [~\c ]
4:1 [~\"/;] x ]
`},
	{"backslashes in a key", `REGEDIT4
[HKEY_CURRENT_USER\a\]
[HKEY_CURRENT_USER\b\\\]
[HKEY_CURRENT_USER\c\\d]
[HKEY_CURRENT_USER\]
`, `
2:1 [~\a]
3:1 [~\b]
4:1 [~\c\d]
5:1 [~]
! 4:1 doubtful
`},
	{"deleted keys", `REGEDIT4
[HKEY_CURRENT_USER\K]
[-HKEY_CURRENT_USER\K\L]
"a"="1"
"b"="2"
[-HKEY_CURRENT_USER]
[-HKEY_CURRENT_USER\K] x
@="3"
`, `
2:1 [~\K]
3:1 [-~\K\L]
7:1 [-~\K]
! 4:1 bad-line loss ~\K\L
! 6:1 bad-line
! 8:1 bad-line loss ~\K
`},
	{"text", `REGEDIT4
[HKEY_CURRENT_USER\K]
@="default"
""="default"
"e"=""
"\"n\\"="\"q\\"
`, `
2:1 [~\K]
3:1 ""=SZ "default"
4:1 ""=SZ "default"
5:1 "e"=SZ ""
6:1 "\"n\\"=SZ "\"q\\"
`},
	{"escapes", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"="\0"
"b"="C:\dir"
"c\n"="1"
"d"="x\"
"e\
"f"="1"
`, `
2:1 [~\K]
8:1 "f"=SZ "1"
! 3:6 bad-line loss ~\K
! 4:8 bad-line loss ~\K
! 5:3 bad-line loss ~\K
! 6:5 bad-line loss ~\K
! 7:1 bad-line loss ~\K
`},
	{"quotes", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"="b"c"
"a"="b""c"
"a"=b"
"a"="b
"a="b"
a"="b"
"a"x="b"
"a" "b"
@x="1"
@
`, `
2:1 [~\K]
! 3:8 bad-line loss ~\K
! 4:8 bad-line loss ~\K
! 5:5 bad-line loss ~\K
! 6:5 bad-line loss ~\K
! 7:5 bad-line loss ~\K
! 8:1 stray-line
! 9:4 bad-line loss ~\K
! 10:5 bad-line loss ~\K
! 11:2 bad-line loss ~\K
! 12:2 bad-line loss ~\K
`},
	{"unknown data", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=b
"a"=DWORD:1
"a"=HEX:1
"a"=str(1):"x"
"a"=hex
"a"=hex(:1
`, `
2:1 [~\K]
! 3:5 bad-line loss ~\K
! 4:5 bad-line loss ~\K
! 5:5 bad-line loss ~\K
! 6:5 bad-line loss ~\K
! 7:5 bad-line loss ~\K
! 8:9 bad-line loss ~\K
`},
	{"deleted values", "REGEDIT4\n[HKEY_CURRENT_USER\\K]\n\"a\"=-\n@= - \n\"b\"=-\"x\"\n\"c\"=- #x\n\"d\"=-;x\n\"e\"=--\n", `
2:1 [~\K]
3:1 "a"=-
4:1 ""=-
7:1 "d"=-
! 5:6 bad-line
! 6:7 bad-line
! 8:6 bad-line
`},
	{"dword", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=dword:1
"b"=dword:DeadBeef
"c"=dword: 	12 ;x
"d"=dword:
"e"=dword:000000001
"f"=dword:0x1
"g"=dword:1 2
"h"=dword:1\
"i"=dword:g
"j"=dword:;1
`, `
2:1 [~\K]
3:1 "a"=DWORD 01000000
4:1 "b"=DWORD efbeadde
5:1 "c"=DWORD 12000000
! 6:11 bad-line loss ~\K
! 7:11 bad-line loss ~\K
! 8:12 bad-line loss ~\K
! 9:13 bad-line loss ~\K
! 10:12 bad-line loss ~\K
! 11:11 bad-line loss ~\K
! 12:11 bad-line loss ~\K
`},
	{"hex types", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex(0):1
"b"=hex(b):01
"c"=hex(ffffffff):01
"d"=hex(00000003):01
"e"=hex(000000003):01
"f"=hex(0x2):00
"g"=hex():01
"h"=hex(3) :01
"i"=hex(-1):01
`, `
2:1 [~\K]
3:1 "a"=NONE 01
4:1 "b"=QWORD 01
5:1 "c"=0xffffffff 01
6:1 "d"=BINARY 01
! 3:12 doubtful
! 7:9 bad-line loss ~\K
! 8:9 bad-line loss ~\K
! 9:9 bad-line loss ~\K
! 10:9 bad-line loss ~\K
! 11:9 bad-line loss ~\K
`},
	{"hex elements", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex:01,Fe
"b"=hex:100
"c"=hex:01,,02
"d"=hex:,01
"e"=hex:0g
"f"=hex:01,
"g"=hex:
"h"=hex:1,2,3
"i"=hex: 01, 02
"j"=hex:01 ,02
"k"=hex:01 02
"l"=hex(4):
"m"=hex(4):0102
"n"=hex(4):01,02,03,04,05,06,07,08
`, `
2:1 [~\K]
3:1 "a"=BINARY 01fe
8:1 "f"=BINARY 01
9:1 "g"=BINARY 
10:1 "h"=BINARY 010203
11:1 "i"=BINARY 0102
14:1 "l"=DWORD 
16:1 "n"=DWORD 0102030405060708
! 4:9 bad-line loss ~\K
! 5:12 bad-line loss ~\K
! 6:9 bad-line loss ~\K
! 7:10 bad-line loss ~\K
! 10:9 doubtful
! 11:9 doubtful
! 12:12 bad-line loss ~\K
! 13:12 bad-line loss ~\K
! 15:12 bad-line loss ~\K
`},
	{"text in hex, version 5", `Windows Registry Editor Version 5.00
[HKEY_CURRENT_USER\K]
"a"=hex(1):61,00
"b"=hex(1):61,00,00,00,62,00,00,00
"c"=hex(2):
"d"=hex(7):61,00,00,00
"e"=hex(7):61,00
"f"=hex(1):61,00,62
"g"=hex(1):61
"h"=hex(3):61,00
"i"=hex(6):61,00
`, `
2:1 [~\K]
3:1 "a"=SZ "a"
4:1 "b"=SZ 6100000062000000
5:1 "c"=EXPAND_SZ 
6:1 "d"=MULTI_SZ 61000000
7:1 "e"=MULTI_SZ 61000000
8:1 "f"=SZ 6100620000
9:1 "g"=SZ 610000
10:1 "h"=BINARY 6100
11:1 "i"=LINK 6100
`},
	{"text in hex, version 4", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex(1):61
"b"=hex(2):25,00
"c"=hex(7):61,00,00
"d"=hex(7):80
"e"=hex(2):
"f"=hex(0):61
`, `
2:1 [~\K]
3:1 "a"=SZ "a"
4:1 "b"=EXPAND_SZ "%"
5:1 "c"=MULTI_SZ 610000000000
6:1 "d"=MULTI_SZ ac200000
7:1 "e"=EXPAND_SZ 
8:1 "f"=NONE 61
! 6:1 doubtful
`},
	{"continued", "REGEDIT4\n[HKEY_CURRENT_USER\\K]\n\"a\"=hex:01,\\\n  02,\\\n03\n\"b\"=hex:\\\n  01\n\"c\"=hex:01, \\ ;x\n\n \t\n;x\n  02\n\"d\"=hex:01,\\\n  02,\n  03\n\"e\"=hex:01\n  ,02\n", `
2:1 [~\K]
3:1 "a"=BINARY 010203
6:1 "b"=BINARY 01
8:1 "c"=BINARY 0102
13:1 "d"=BINARY 0102
16:1 "e"=BINARY 01
! 15:3 stray-line
! 17:3 stray-line
`},
	{"continued by a line that is no hex", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex:01,\
"b"="swallowed"
"c"="1"
"d"=hex:01,\

;x
@="swallowed"
"e"=hex:01,\
#x
"f"="1"
"g"=hex:01,\
,02
"h"="1"
"i"=hex:01,\
\
"j"="1"
`, `
2:1 [~\K]
5:1 "c"=SZ "1"
12:1 "f"=SZ "1"
15:1 "h"=SZ "1"
18:1 "j"=SZ "1"
! 4:1 bad-line loss ~\K
! 4:1 bad-line loss ~\K
! 9:1 bad-line loss ~\K
! 9:1 bad-line loss ~\K
! 11:1 bad-line loss ~\K
! 14:1 bad-line loss ~\K
! 17:1 bad-line loss ~\K
`},
	{"a key line that is swallowed", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex:01,\
[HKEY_CURRENT_USER\L]
"b"="goes to K"
"c"=hex:01,\
[-HKEY_CURRENT_USER\K]
`, `
2:1 [~\K]
5:1 "b"=SZ "goes to K"
! 4:1 bad-line loss ~\K
! 4:1 bad-line loss ~\L
! 5:1 doubtful
! 7:1 bad-line loss ~\K
! 7:1 bad-line
`},
	{"a key line that is swallowed where no key is open", `REGEDIT4
"a"=hex:01,\
[HKEY_CURRENT_USER\L]
"b"="1"
`, `
! 2:1 bad-line loss 
! 3:1 bad-line loss ~\L
`},
	{"broken continuation", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex:41\
"b"="1"
"c"=hex:41,\\
"d"="1"
"e"=hex:41,\ 4f
"f"="1"
"g"=hex:\25
"h"=hex:25,\,41
"i"=hex:01,\
  0203,\
  04,05
  06
"j"=hex:4\
05
06
foo
`, `
2:1 [~\K]
4:1 "b"=SZ "1"
6:1 "d"=SZ "1"
8:1 "f"=SZ "1"
! 3:11 bad-line loss ~\K
! 5:13 bad-line loss ~\K
! 7:14 bad-line loss ~\K
! 9:10 bad-line loss ~\K
! 10:13 bad-line loss ~\K
! 12:3 bad-line loss ~\K
! 15:10 bad-line loss ~\K
! 18:1 stray-line
`},
	{"end of the file in a value", "REGEDIT4\n[HKEY_CURRENT_USER\\K]\n\"a\"=hex(2):25,\\", `
2:1 [~\K]
3:1 "a"=EXPAND_SZ "%"
! 3:15 doubtful
`},
	{"end of the file in a value, behind blank lines", `REGEDIT4
[HKEY_CURRENT_USER\K]
"a"=hex:25,\

;x
`, `
2:1 [~\K]
3:1 "a"=BINARY 25
! 3:12 doubtful
`},
	{"end of the file without comma", "REGEDIT4\n[HKEY_CURRENT_USER\\K]\n\"a\"=hex:25\\", `
2:1 [~\K]
! 3:11 bad-line loss ~\K
`},
	{"no continuation elsewhere", `REGEDIT4
[HKEY_CURRENT_USER\K]
[HKEY_CURRENT_USER\K\
L]
"a"="1\
2"
"b"=dword:1\
2
"c\
d"="1"
`, `
2:1 [~\K]
! 3:1 bad-line loss ~\K
! 4:1 stray-line
! 5:1 doubtful
! 5:5 bad-line loss ~\K
! 6:1 stray-line
! 7:12 bad-line loss ~\K
! 8:1 stray-line
! 9:1 bad-line loss ~\K
! 10:1 stray-line
`},
	{"a raw line break in text", "Windows Registry Editor Version 5.00\n[HKEY_CURRENT_USER\\K]\n\"a\"=\"one\r\ntwo\"\r\n\"b\"=\"1\"\r\n", `
2:1 [~\K]
5:1 "b"=SZ "1"
! 3:5 bad-line loss ~\K
! 4:1 stray-line
`},
	{"the last one wins, in the order of the file", `Windows Registry Editor Version 5.00
[HKEY_CURRENT_USER\K]
"a"="1"
"A"="2"
"a"=-
[HKEY_CURRENT_USER\k]
"a"="3"
`, `
2:1 [~\K]
3:1 "a"=SZ "1"
4:1 "A"=SZ "2"
5:1 "a"=-
6:1 [~\k]
7:1 "a"=SZ "3"
`},
	{"NUL characters", "REGEDIT4\n[HKEY_CURRENT_USER\\K]\n\"a\"=\"1\"\x00 \x00\n\"b\"=\"2\"\x00\"c\"\n\"d\"=\"x\x00y\"\n", `
2:1 [~\K]
3:1 "a"=SZ "1"
4:1 "b"=SZ "2"
! 3:8 doubtful
! 4:8 doubtful loss ~\K
! 5:5 bad-line loss ~\K
! 5:7 doubtful loss ~\K
`},
	{"ANSI", "REGEDIT4\n; ok\n[HKEY_CURRENT_USER\\\x80]\n\"\xe9\x81\"=\"\x9f\"\n", `
3:1 [~\€]
4:1 "é\u0081"=SZ "Ÿ"
! 3:20 doubtful
`},
	{"UTF-8 with byte order mark", "\xef\xbb\xbfWindows Registry Editor Version 5.00\n; \xc3\xa9\n[HKEY_CURRENT_USER\\\xe2\x82\xac]\n\"\xff\"=\"\xed\xa0\x80\"\n", `
3:1 [~\€]
4:1 "�"=SZ "���"
! 1:1 doubtful
! 4:2 doubtful
`},
	{"columns are characters", "\xef\xbb\xbfWindows Registry Editor Version 5.00\n[HKEY_CURRENT_USER\\K]\n\"\xe2\x82\xac\xc3\xa9\"=dword:x\n", `
2:1 [~\K]
! 1:1 doubtful
! 3:12 bad-line loss ~\K
`},
	{"key names of 255 characters", `Windows Registry Editor Version 5.00
[HKEY_CURRENT_USER\kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\b]
`, `
2:1 [~\` + strings.Repeat("k", 255) + `\b]
`},
	{"key names of 256 characters", `Windows Registry Editor Version 5.00
[HKEY_CURRENT_USER\K]
[HKEY_CURRENT_USER\K\kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\b]
"a"="1"
[-HKEY_CURRENT_USER\kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
`, `
2:1 [~\K]
! 3:1 bad-line loss ~\K
! 5:1 bad-line
`},
	{"Windows 3.1", "REGEDIT\nHKEY_CLASSES_ROOT\\a = v\nHKEY_CLASSES_ROOT\\b =v\nHKEY_CLASSES_ROOT\\c =  v \nHKEY_CLASSES_ROOT\\d v\nHKEY_CLASSES_ROOT\\e   = = v\nHKEY_CLASSES_ROOT\\f\nHKEY_CLASSES_ROOT\tv\nHKEY_CLASSES_ROOT\\g \"q\\\" ;x\n HKEY_CLASSES_ROOT\\h = v\nhkey_classes_root\\i = v\nHKEY_CLASSES_ROOT=v\n;x\n#x\n[HKEY_CLASSES_ROOT\\j]\n@=\"v\"\nHKEY_CURRENT_USER\\k = v\n\n", `
2:1 [HKEY_CLASSES_ROOT\a]
2:1 ""=SZ "v"
3:1 [HKEY_CLASSES_ROOT\b]
3:1 ""=SZ "v"
4:1 [HKEY_CLASSES_ROOT\c]
4:1 ""=SZ " v "
5:1 [HKEY_CLASSES_ROOT\d]
5:1 ""=SZ "v"
6:1 [HKEY_CLASSES_ROOT\e]
6:1 ""=SZ "= v"
7:1 [HKEY_CLASSES_ROOT\f]
7:1 ""=SZ ""
8:1 [HKEY_CLASSES_ROOT]
8:1 ""=SZ "v"
9:1 [HKEY_CLASSES_ROOT\g]
9:1 ""=SZ "\"q\\\" ;x"
! 10:2 bad-line loss 
! 11:1 bad-line loss 
! 12:1 no-such-root loss 
! 14:1 stray-line
! 15:1 stray-line
! 16:1 stray-line
! 17:1 stray-line
`},
}

// rejects are files that Windows does not import at all.
var rejects = []struct{ name, in, want string }{
	{"empty", "", "the file is empty"},
	{"hive", "regf\x00\x00\x00\x00", "this is a registry hive"},
	{"big-endian", "\xfe\xff\x00R\x00E\x00G", "UTF-16 big-endian"},
	{"big-endian without mark", "\x00R\x00E\x00G", "UTF-16 big-endian"},
	{"UTF-16 without mark", "R\x00E\x00G\x00E\x00", "without a byte order mark"},
	{"binary", "MZ\x90\x00\x03\x00\x00\x00\x04", "binary file"},
	{"only a mark", "\xff\xfe", "the first line is empty"},
	{"blank first line", "\nREGEDIT4\n", "the first line is empty"},
	{"other case", "regedit4\n", "not in the right case"},
	{"blank at the end", "Windows Registry Editor Version 5.00 \n", "blanks at the end"},
	{"other version", "Windows Registry Editor Version 4.00\n", "must be"},
	{"text in front", "AREGEDIT4\n", "must be"},
	{"no header", "[HKEY_CURRENT_USER\\K]\n", "must be"},
}

package regfile

import "testing"

// TestLikelyPages tests what is said of the code page of a text.
func TestLikelyPages(t *testing.T) {
	for _, c := range []struct {
		page       string
		text, want string
	}{
		{"932", "画像ファイルを表示する", "likely 932 (Japanese)"},
		{"932", "予定表", "perhaps 932 (Japanese) or 866 (Cyrillic of DOS)"},
		{"932", "コマンド プロンプトを開く", "likely 932 (Japanese)"},
		{"936", "在此处打开命令行", "likely 936 (simplified Chinese)"},
		{"936", "管理员取得所有权", "likely 936 (simplified Chinese)"},
		{"949", "관리자 권한으로 명령 프롬프트 열기", "likely 949 (Korean)"},
		{"950", "在此處開啟命令提示字元", "likely 950 (traditional Chinese)"},
		{"1251", "Открыть окно команд", "likely 1251 (Cyrillic)"},
		{"866", "Открыть окно команд", "likely 866 (Cyrillic of DOS)"},
		{"1253", "Άνοιγμα παραθύρου εντολών", "likely 1253 (Greek)"},
		{"1255", "פתח חלון פקודה כאן", "likely 1255 (Hebrew)"},
		{"1256", "فتح نافذة الأوامر هنا", "likely 1256 (Arabic)"},
		{"874", "เปิดหน้าต่างคำสั่งที่นี่", "likely 874 (Thai)"},
		{"1250", "Otevřít příkazový řádek, žluťoučký kůň", "likely 1250 (central European)"},
		{"1252", "Eingabeaufforderung hier öffnen für Schlüssel und Größe", "likely 1252 (western European)"},
		{"1254", "Komut penceresini burada aç, yönetici olarak çalıştır, değiştir, ışık", "likely 1254 (Turkish)"},
		{"1257", "Atvērt komandrindas logu šeit, ēdiens, ķirši", "likely 1257 (Baltic)"},
		{"936", "中", "perhaps 936 (simplified Chinese), 1254 (Turkish) or 1256 (Arabic)"},
		{"1252", "é", "the bytes do not show which it is"},
		{"65001", "Größe", "it seems to be 65001 (UTF-8), which Windows does not read without a byte order mark"},
	} {
		p, err := ParseCodePage(c.page)
		if err != nil {
			t.Fatal(err)
		}
		data, ok := p.encode(nil, []byte(c.text))
		if !ok {
			t.Fatalf("%s does not have %q", p, c.text)
		}
		n := asciiPrefix(data)
		if got := likelyPages(data[n:]); got != c.want {
			t.Errorf("code page %s, %q: %q, want %q", c.page, c.text, got, c.want)
		}
	}
}

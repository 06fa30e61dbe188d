package lint

import (
	"regvet/hive"
	"regvet/hive/regfile"
)

// notes is what the checks remember while a file is read.
type notes struct {
	// The current key.
	patterns  *patternNode // of all keys
	pathNames []string     // the names of its path, as a [pattern] has them
	matched   []*pattern   // the patterns that match it
	hits      []*pattern   // the ones of matched for the current value

	// What came before.
	above                     hive.Path // the key before; nil if it is not in folding
	aboveHas                  facts     // the facts of its path
	seen                      seen
	hex                       hexEnd
	split                     *splitKey
	leftValues, leftDeletions leftOver
	commented                 commentedNote
	oldHeader                 *oldHeaderNote
	utf8Mark                  *utf8MarkNote
	wide                      []*wideNote
	oldest                    first // the header of Windows 3.1
	oldestOffset              int64
	brackets                  int  // lines in a file with the header REGEDIT that only later versions read
	typedText                 bool // there is text in hex data among them
	metHeader                 bool // there is a header below a wrong first line
	endings                   endings
	ending                    regfile.Ending // of the statement before
	notASCII                  string         // the message about the first byte beyond ASCII; "" if there was none
	sid                       string         // the SID that was reported last
	usual                     string         // the well-known names that the last key started with, in their usual case
	usualNames                int            // how many names that is
	topLevel                  hive.Path      // the top of the last path that has no finding of topLevelKey
	volatile                  string         // the volatile part of the registry that was reported last
	roots                     int            // which of HKEY_LOCAL_MACHINE and HKEY_CURRENT_USER were seen
	unread                    int            // the line of the last finding of unusedValue
	changes                   bool           // some line has an effect

	// What is reported once per file.
	wow, user, classes                                    first
	saidCodePage, saidHexCodePage, saidDamaged, saidStyle bool

	// Buffers that are reused.
	scratch []byte // bytes of hex data
	folding []byte // a path in capitals
}

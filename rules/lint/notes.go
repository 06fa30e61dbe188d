package lint

import (
	"regvet/hive"
	"regvet/hive/regfile"
)

// notes is what the checks keep in mind of a file while it is read.
type notes struct {
	// The current key.
	patterns  *patternNode // those of all keys
	pathNames []string     // the folded names of its path, as a [pattern] writes it
	matched   []*pattern   // what is known of it
	hits      []*pattern   // those of matched that are about the current value

	// What stands above.
	above      hive.Path // the key before; nil where folding does not hold it
	aboveHas   facts     // of its path
	seen       seen
	hex        hexEnd
	split      *splitKey
	oldHeader  *oldHeaderNote
	utf8Mark   *utf8MarkNote
	wide       []*wideNote
	endings    endings
	ending     regfile.Ending // of the statement before
	notASCII   string         // what was said of the first byte beyond ASCII; "" while there is none
	sid        string         // the SID that was reported last
	usual      string         // the start of a key line, of well-known names, which are written as usual
	usualNames int            // how many they are
	volatile   string         // the part of the registry that was reported last
	roots      int            // which of the roots of the computer and the user were named
	unread     int            // the last line of a value of which it was said that this Windows does not read it
	changes    bool           // there is a line that Windows does something for

	// What is reported once, at its first place.
	wow, user, classes                                    first
	saidCodePage, saidHexCodePage, saidDamaged, saidStyle bool

	// Room that is used again for each statement.
	scratch []byte // bytes of hex data
	folding []byte // a path in capitals
}

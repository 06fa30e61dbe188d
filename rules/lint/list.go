package lint

// The checks, by topic.
var (
	syntaxChecks = []*Check{
		header, headerBlanks, headerEmptyLine, keyBrackets, behindKey, valueWithoutKey, strayLine, nameQuotes, textQuotes, loneBackslash, dwordForm, shortDWord,
		hexDigits, hexType, hexBreak, hexCutShort, hexBackslash, dataForm, behindDelete, commentBehindData, slashComment, shortRoot, unknownRoot, extraBackslash,
		keyBlanks, nameLimits, hexElements, swallowedLine, hashComment, commentedKey, valueNameBlanks, secondHeader,
	}
	encodingChecks  = []*Check{codePage, utf8Mark, oldHeaderInUTF16, utf16Form, damagedText, lineEnds, mixedLineEnds, lastLineEnd, invisibleCharacter, gitAttributes, invisibleInLine, invisibleInText}
	semanticsChecks = []*Check{
		setTwice, keyRepeated, valuesOfDeleted, setThenDeleted, unexpanded, unterminated, numberSize, binaryNumber, textWidth, packInvalid, writtenDefault, noChange,
		emptyElement, packMismatch, noUndo, decimalAsHex, quotedType, deletedWithKey,
	}
	portabilityChecks = []*Check{
		numberedControlSet, wow6432Node, foreignSID, localPath, userKey, classesRoot, volatileKey, protectedKey, unusedValue, mixedRoots, topLevelKey,
	}
	securityChecks = []*Check{
		imageHijack, autorun, defenderOff, uacOff, firewallOff, storedSecret, wideDeletion, servicePath, commandVerb, weakCrypto, trustedCertificate, userCOM,
	}
	styleChecks = []*Check{pathCase, dataStyle, extraBlanks, ignoreUnused, ignoreReason, slashInKey}
)

package rules

// Recorded returns a rule as a result tells of it: it can be shown, and answers nothing. severity is that of [Rule.Terms] without a Windows, and file
// that of [Rule.File].
func Recorded(r Rule, severity Severity, file string) *Rule {
	r.base.severity, r.source = severity, file
	return &r
}

// RecordedFix returns a fix as a result tells of it, of which does is what [Fix.String] returns. It can be shown, and has no edits.
func RecordedFix(does string, f Fix) *Fix {
	f.does = does
	return &f
}

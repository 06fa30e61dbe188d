package collection

// SetMostReplayed sets how much is read for the states between the entries of a log, until the function that it returns is called.
func SetMostReplayed(n int64) (restore func()) {
	was := mostReplayed
	mostReplayed = n
	return func() { mostReplayed = was }
}

var ComparePaths = comparePaths

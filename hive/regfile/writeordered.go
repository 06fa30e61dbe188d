package regfile

import (
	"io"
	"iter"

	"regvet/hive"
)

// Stream is a [Tree] that is read while it is written, instead of being held: its keys come from [Ordered.Walk].
type Stream struct {
	Keys iter.Seq2[*hive.Stretch, error]
	At   hive.Path // as in Tree
}

// ExportOrdered writes what [Export] writes for the same trees. The error may also be that of a stream.
func ExportOrdered(w io.Writer, streams ...Stream) error {
	var failed error
	write := func(full []byte) []byte {
		if failed == nil {
			_, failed = w.Write(full)
		}
		return full[:0]
	}
	x := exporter{encoder: encoder{exchange: write}}
	x.encoder.begin()
	for _, s := range streams {
		x.at = s.At
		x.begin()
		written := false // the line of the key
		for key, err := range s.Keys {
			if err != nil {
				return err
			}
			if key.Begins {
				if written = x.reach(key.Path) && !key.Implied; written {
					x.open()
				}
			}
			if written {
				x.values(key.Path, key.Values)
			}
			if failed != nil {
				return failed
			}
		}
	}
	x.crlf()
	if write(x.buf); failed != nil {
		return failed
	}
	if len(x.left) > 0 {
		return x.left
	}
	return nil
}

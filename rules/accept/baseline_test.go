package accept

import (
	"bytes"
	"fmt"
	"testing"
)

func written(t *testing.T, b *Baseline) string {
	t.Helper()
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// FuzzBaseline tests that a baseline is the same after it was written and read again.
func FuzzBaseline(f *testing.F) {
	const line = `{"path": "a.reg", "%s": "REG505", "fingerprint": "%d", "message": "<\u0000\ud800>"}`
	f.Add([]byte(`{"schema_version": "1", "findings": []}`))
	f.Add(fmt.Appendf(nil, `{"schema_version": "1", "findings": [`+line+","+line+`], "more": 1}`, "check", 1, "rule", 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := LoadBaseline(Rules, "test.json", data)
		if err != nil {
			return
		}
		first := written(t, b)
		again, err := LoadBaseline(Rules, "test.json", []byte(first))
		if err != nil || written(t, again) != first {
			t.Errorf("read again it is another: %v\n%s", err, first)
		}
	})
}

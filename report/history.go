package report

import (
	"encoding/hex"
	"strings"

	"regvet/rules"
)

// jsonPast is a deleted value. Its data are null if they could not be read.
type jsonPast struct {
	Type       string  `json:"type"`
	Data       *string `json:"data"`
	Text       string  `json:"text"`
	Offset     int64   `json:"offset"`
	Modified   string  `json:"modified"` // last write of the key that held it
	KeyDeleted bool    `json:"key_deleted"`
}

func historyJSON(history []rules.Past) (out []jsonPast) {
	for _, past := range history {
		v := past.Value
		j := jsonPast{Type: v.Type.String(), Offset: v.At.Offset, Modified: timestamp(past.Modified), KeyDeleted: past.KeyGone}
		if !v.Short {
			data := hex.EncodeToString(v.Data)
			j.Data, j.Text = &data, v.Display()
		}
		out = append(out, j)
	}
	return out
}

// history returns for people what was once set in the place of a finding, one line each.
func history(f rules.Finding) string {
	var lines []string
	for _, past := range f.History {
		lines = append(lines, pastWords(past))
	}
	return strings.Join(lines, "\n")
}

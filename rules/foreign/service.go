package foreign

import "strings"

// serviceStarts are the numbers in the value Start of a service by what PowerShell calls them, in small letters (winsvc.h).
var serviceStarts = map[string]int{"boot": 0, "system": 1, "automatic": 2, "manual": 3, "disabled": 4}

// serviceKey returns the pattern for the key of a service.
func serviceKey(name string) (key string, ok bool) {
	name = strings.TrimSpace(name)
	return `HKLM\SYSTEM\CurrentControlSet\Services\` + literal(name), name != "" && !strings.Contains(name, `\`)
}

// serviceStart returns what asks below the key of a service that Windows starts it so, as a REG_DWORD, which the service control manager reads.
// The fix is for a service that is there: the value alone makes none.
func serviceStart(start int, missing string) Fields {
	there := Fields{{"value", "Start"}, {"expect", Fields{{"exists", true}}}}
	fix := Fields{{"set", Fields{{"type", "REG_DWORD"}, {"data", start}}}}
	return Fields{
		{"value", "Start"}, {"expect", Fields{{"type", "REG_DWORD"}, {"data", Fields{{"equals", start}}}}}, {"missing", missing},
		{"overrides", []any{Fields{{"when", there}, {"fix", fix}}}},
	}
}

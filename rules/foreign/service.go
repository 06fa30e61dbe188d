package foreign

import "strings"

// serviceStarts are the numbers in the value Start of a service by what PowerShell calls them, in small letters (winsvc.h).
var serviceStarts = map[string]int{"boot": 0, "system": 1, "automatic": 2, "manual": 3, "disabled": 4}

// serviceKey returns the pattern for the key of a service.
func serviceKey(name string) (key string, ok bool) {
	name = strings.TrimSpace(name)
	return `HKLM\SYSTEM\CurrentControlSet\Services\` + literal(name), name != "" && !strings.Contains(name, `\`)
}

// serviceStart returns what asks below the key of a service that Windows starts it so, and the fix. The service control manager reads a REG_DWORD.
func serviceStart(start int, missing string) Fields {
	return Fields{
		{"value", "Start"}, {"expect", Fields{{"type", "REG_DWORD"}, {"data", Fields{{"equals", start}}}}}, {"missing", missing},
		{"fix", Fields{{"set", Fields{{"type", "REG_DWORD"}, {"data", start}}}}},
	}
}

package collection_test

import (
	"regvet/hive"
	"regvet/internal/hivetest"
)

// specimen returns the keys of a SYSTEM hive.
func specimen() *hivetest.Key {
	return &hivetest.Key{Keys: []*hivetest.Key{
		{Name: "ControlSet001", Keys: []*hivetest.Key{{Name: "Control", Keys: []*hivetest.Key{{Name: "ComputerName", Keys: []*hivetest.Key{
			{Name: "ComputerName", Values: []hive.Value{hive.StringValue("ComputerName", hive.SZ, "WS01")}}}}}}}},
		{Name: "ControlSet002", Keys: []*hivetest.Key{{Name: "Control"}}},
		{Name: "Select", Values: []hive.Value{hive.DWordValue("Current", 1)}},
	}}
}

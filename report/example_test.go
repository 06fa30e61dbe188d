package report_test

import (
	"fmt"
	"os"

	"regvet/hive/collection"
	"regvet/report"
	"regvet/rules"
)

// A report is made of inputs and what rules say of them, and written in the format of a name.
func Example() {
	rule := &rules.Rule{ID: "MINE-1", Pack: "mine", Title: "The host name is short"}
	r := report.Report{
		Version: "1.2.3", Rules: []*rules.Rule{rule}, FailOn: rules.Medium,
		Inputs: []report.Input{{
			Input: collection.Input{Path: "SYSTEM", Format: "regf"},
			Findings: []rules.Finding{
				{Rule: rule, Status: rules.Fail, Reason: rules.Mismatch, Severity: rules.High, Message: "Limit is 63; want 15"},
				{Rule: rule, Status: rules.Fail, Reason: rules.Mismatch, Severity: rules.Low, Message: "Limit is 16; want 15"},
			},
		}},
	}
	if err := report.Write(os.Stdout, "compact", r, report.Style{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// SYSTEM:0:0: error: Limit is 63; want 15 [MINE-1]
	// SYSTEM:0:0: info: Limit is 16; want 15 [MINE-1]
}

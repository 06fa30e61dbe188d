package rules

import "regvet/rules/strict"

// Schema returns the JSON Schema of rule files, for editors. It is made of the tables that rule files are read by, so that both know the
// same fields. What only the whole of a rule can show, such as a fix that its own rule would find again, is not in it.
func Schema() []byte {
	return strict.JSONSchema("Rule pack of regvet", strict.Schema{"$ref": "#/definitions/pack"},
		&packObject, &listObject, &listEntryObject, &listNameObject, &ruleObject, &sourceObject, &inventoryObject, &overrideObject, &conditionObject, &traitsObject, &expectObject, &demandObject, &programObject, &lengthObject, &otherObject,
		&writtenObject, &momentObject, &missingObject, &policyObject, &messagesObject, &stepObject, &setObject, &testObject)
}

// oneNeeded returns the schema of an object that needs one of some groups of fields, by "oneOf" or "anyOf".
func oneNeeded(of string, groups ...[]string) strict.Schema {
	var all []any
	for _, group := range groups {
		all = append(all, strict.Schema{"required": group})
	}
	return strict.Schema{of: all}
}

package rules

import (
	"bytes"
	"encoding/json"
)

// Schema gives the JSON Schema of rule files, for editors. It is made of what the decoder reads by, so that both know the same fields;
// what only the whole of a rule can show, such as a fix that its own rule would find again, the decoder alone knows.
func Schema() []byte {
	definitions := schema{}
	packObject.define(definitions)
	ruleObject.define(definitions)
	overrideObject.define(definitions)
	conditionObject.define(definitions)
	expectObject.define(definitions)
	demandObject.define(definitions)
	lengthObject.define(definitions)
	otherObject.define(definitions)
	writtenObject.define(definitions)
	momentObject.define(definitions)
	missingObject.define(definitions)
	messagesObject.define(definitions)
	stepObject.define(definitions)
	setObject.define(definitions)
	testObject.define(definitions)
	// What hangs on other fields of the same object, as far as it can be said here.
	definitions["test"].(schema)["oneOf"] = []any{schema{"required": []string{"reg"}}, schema{"required": []string{"hive"}}}
	definitions["fix"].(schema)["oneOf"] = []any{schema{"required": []string{"set"}}, schema{"required": []string{"delete"}}}
	definitions["rule"].(schema)["anyOf"] = []any{
		schema{"required": []string{"key", "expect"}},
		schema{"required": []string{"all"}}, schema{"required": []string{"any"}}, schema{"required": []string{"none"}},
	}
	root := schema{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": "Rule pack of regvet",
		"allOf": []any{schema{"$ref": "#/definitions/pack"}}, "definitions": definitions,
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		panic(err) // it holds maps, lists, text and numbers only
	}
	return b.Bytes()
}

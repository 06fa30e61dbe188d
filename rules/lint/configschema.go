package lint

import "encoding/json"

// ConfigSchema returns the JSON Schema of a config, with which editors complete and check the file.
func ConfigSchema() []byte {
	schema := mappingSchema(configFields)
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "How regvet looks at the .reg files of a folder (" + ConfigName + ")"
	schema["type"] = []string{"object", "null"}
	text, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // it is made of maps, lists and texts
	}
	return append(text, '\n')
}

// mappingSchema is the schema of a mapping with some fields.
func mappingSchema[T any](fields []field[T]) map[string]any {
	properties := map[string]any{}
	schema := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	for _, f := range fields {
		one := map[string]any{"description": f.about}
		for key, value := range f.schema {
			one[key] = value
		}
		properties[f.name] = one
		if f.required {
			schema["required"] = []string{f.name}
		}
	}
	return schema
}

package rules

import (
	"gopkg.in/yaml.v3"

	"regvet/rules/strict"
)

var policyObject = strict.Object[Policy]{
	Name: "policy", What: "a policy", Doc: "A place that goes before the value of the rule, because a group policy writes there. If the value exists, it is judged in place of the local one, and no fix is made.",
	Fields: []strict.Field[Policy]{
		strict.Must("key", "The key of the policy, any root. Names that the rule's key binds may be used.", keyForm, func(p *Policy, k keyPattern) { p.key = k }),
		strict.Must("value", "The value of the policy. Names that the rule's key binds may be used.", valueForm, func(p *Policy, v pattern) { p.value = v }),
		strict.May("map", "What data of the policy mean in those of the local setting, where they differ: 2: 1 says that 2 there is 1 here. Data that it does not name stay as they are.",
			meaningsForm, func(p *Policy, all []means) { p.means = all }),
		strict.May("times", "What the number of the policy counts in, where the local setting counts in ones: 1024 for kilobytes in place of bytes.", timesForm, func(p *Policy, n uint64) { p.times = n }),
		strict.May("unset", "Data with which the policy sets nothing: the next place counts.", datumsForm, func(p *Policy, all []datum) { p.unset = all }),
		strict.May("where", "Names that the rule's key binds, and what they must stand for if the policy is to count.", whereForm, func(p *Policy, all []named) { p.where = all }),
	},
}

var policyForm = strict.NewForm(strict.Schema{"$ref": "#/definitions/policy"}, func(d *strict.Decoder, n *yaml.Node, what string) Policy {
	p := Policy{at: strict.Locate(n)}
	policyObject.Read(d, n, what, &p)
	return p
})

// maxPolicies is how many policies a rule can have in one place: each is looked up for each key.
const maxPolicies = 20

var policiesForm = strict.NewForm(manyPolicies.Schema, func(d *strict.Decoder, n *yaml.Node, what string) []Policy {
	all := manyPolicies.Read(d, n, what)
	if len(all) > maxPolicies {
		d.Wrong(n, "%s lists %d places; want at most %d", what, len(all), maxPolicies)
		return nil
	}
	return all
})

var manyPolicies = strict.ListOf(policyForm, 1, "names no place; want a list of places, each with key and value")

var timesForm = strict.NewForm(strict.Schema{"type": "integer", "minimum": 2}, func(d *strict.Decoder, n *yaml.Node, what string) uint64 {
	before := d.Mistakes()
	times := d.Number(n, what)
	if times < 2 && d.Mistakes() == before {
		d.Wrong(n, "%s must be 2 or more: the number is multiplied by it", what)
	}
	return times
})

// pairsForm is a mapping of free names with one pair at least.
func pairsForm[V any](value strict.Schema, empty string, read func(d *strict.Decoder, name, value *yaml.Node) V) strict.Form[[]V] {
	return strict.NewForm(strict.Schema{"type": "object", "minProperties": 1, "additionalProperties": value}, func(d *strict.Decoder, n *yaml.Node, what string) (all []V) {
		for name, value := range d.Pairs(n, what) {
			all = append(all, read(d, name, value))
		}
		if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
			d.Wrong(n, "%s %s", what, empty)
		}
		return all
	})
}

var meaningsForm = pairsForm(datumForm.Schema, "maps nothing; want pairs such as 2: 1, data of the policy and what they mean in those of the local setting",
	func(d *strict.Decoder, name, value *yaml.Node) means {
		return means{scalarForm.Read(d, name, "a name in map"), datumForm.Read(d, value, "a value in map"), strict.Locate(name)}
	})

var whereForm = pairsForm(strict.LineForm.Schema, "names nothing; want pairs such as profile: Standard, a name that the rule's key binds and its text",
	func(d *strict.Decoder, name, value *yaml.Node) named {
		return named{name.Value, d.Line(value, "a value in where"), strict.Locate(name)}
	})

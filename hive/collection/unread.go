package collection

import (
	"errors"
	"fmt"

	"regvet/hive"
)

// mostAlike is how many files that would be missed, such as hives, are told with a line each where one reason keeps all of them from being read.
const mostAlike = 100

// unread are files that cannot be read, with the reason of each. An archive that is encrypted or damaged has thousands.
type unread struct {
	why   map[string]string // by path: the reason, without the place of the gap
	large map[string]bool   // by path: whether it would be missed, although its name does not say so
}

func (u *unread) add(name string, err error) {
	if u.why == nil {
		u.why, u.large = map[string]string{}, map[string]bool{}
	}
	u.why[name] = hive.Cause(err).Error()
	if gap, ok := errors.AsType[*hive.Problem](err); ok {
		u.why[name] = gap.Msg
	}
}

// matters notes that a file would be missed whatever its name.
func (u *unread) matters(name string) { u.large[name] = true }

// sumUp leaves of the files that cannot be read for the same reason those that would be missed, up to [mostAlike], and the first of all others, which tells
// how many more there are.
func (u *unread) sumUp(found []File) (all []File) {
	if len(u.why) == 0 {
		return found
	}
	type reason struct {
		alone  int // files with lines of their own
		others int
		first  int // the index in all of the first of the others
	}
	reasons := map[string]*reason{}
	for _, f := range found {
		why, ok := u.why[f.Path]
		if !ok {
			all = append(all, f)
			continue
		}
		r := reasons[why]
		if r == nil {
			r = &reason{}
			reasons[why] = r
		}
		switch {
		case r.alone < mostAlike && (u.large[f.Path] || mattersByName(f.Path)):
			r.alone++
			all = append(all, f)
		case r.others == 0:
			r.first = len(all)
			all = append(all, f)
			fallthrough
		default:
			r.others++
		}
	}
	for _, r := range reasons {
		if r.others > 1 {
			f := &all[r.first]
			p := Refusal(f.Path, f.Err)
			p.Msg += fmt.Sprintf("; nor can %d others, for the same reason", r.others-1)
			f.Err = &p
		}
	}
	return all
}

package hive

import "strings"

// Profiles returns whose each profile is: it maps the folded name of the folder (of alice for C:\Users\alice) to the SID of the user, from
// ProfileList in the SOFTWARE hive. A folder that several users claim is left out; if damage hides what one of them claims, all are.
func (r *Registry) Profiles() map[string]string {
	list := r.lookup(softwareVersion.Join("ProfileList")...)
	if list == nil || list.KeysKnown() == Damaged {
		return nil
	}
	sids := map[string]string{}
	for _, k := range list.Keys() {
		// Windows renames the key of a profile that it could not load.
		if strings.HasSuffix(Fold(k.name), Fold(".bak")) {
			continue
		}
		v, ok := k.Value("ProfileImagePath")
		if v.Short || !ok && k.ValuesKnown() == Damaged {
			return nil
		}
		image, err := v.Text()
		if err != nil || image == "" {
			continue
		}
		folder := Fold(image[strings.LastIndexByte(image, '\\')+1:])
		if _, twice := sids[folder]; twice {
			sids[folder] = ""
			continue
		}
		sids[folder] = k.name
	}
	for folder, sid := range sids {
		if sid == "" {
			delete(sids, folder)
		}
	}
	return sids
}

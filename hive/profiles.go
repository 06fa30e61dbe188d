package hive

import "strings"

// Profiles tells whose a profile is: the SID of the user for the folded name of the folder, as in C:\Users\alice, from
// ProfileList in the SOFTWARE hive. A folder that several users claim is not in it.
func (r *Registry) Profiles() map[string]string {
	list := r.lookup(softwareVersion.Join("ProfileList")...)
	if list == nil {
		return nil
	}
	sids := map[string]string{}
	for _, k := range list.Keys() {
		// Windows keeps the key of a profile that it could not load under another name.
		if strings.HasSuffix(Fold(k.name), Fold(".bak")) {
			continue
		}
		v, _ := k.Value("ProfileImagePath")
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

package hive

import "encoding/binary"

// policyEdition returns the edition in the data of Control\ProductOptions\ProductPolicy, as EditionID in the SOFTWARE hive has it, and the
// policy that states it; "" if none does. The data is a header of 20 bytes, then a record for each policy: its size, the sizes of its name
// and data and its type in 2 bytes each, 8 bytes more, the name in UTF-16LE, the data. Sources: the hives of Windows 7, 8.1 and 10.
func policyEdition(data []byte) (edition, policy string) {
	const header, head = 20, 16
	for rest := data[min(header, len(data)):]; len(rest) >= head; {
		field := func(at int) int { return int(binary.LittleEndian.Uint16(rest[at:])) }
		size, name, value := field(0), field(2), field(6)
		if size < head || size > len(rest) || head+name+value > size {
			break
		}
		v := Value{Type: Type(field(4)), Data: rest[head+name : head+name+value]}
		switch DecodeUTF16(rest[head : head+name]) {
		case "Kernel-EditionName": // since Windows 10
			if text, err := v.Text(); err == nil && text != "" {
				return text, "Kernel-EditionName"
			}
		case "Kernel-ProductInfo":
			if n, err := v.Uint64(); err == nil && edition == "" && productEditions[n] != "" {
				edition, policy = productEditions[n], "Kernel-ProductInfo"
			}
		}
		rest = rest[size:]
	}
	return edition, policy
}

// productEditions maps the numbers of products to what EditionID calls them. Source: Microsoft, GetProductInfo. Server core installations
// are left out: EditionID does not tell them apart everywhere.
var productEditions = map[uint64]string{
	0x01: "Ultimate", 0x02: "HomeBasic", 0x03: "HomePremium", 0x04: "Enterprise", 0x06: "Business", 0x07: "ServerStandard",
	0x08: "ServerDatacenter", 0x0A: "ServerEnterprise", 0x0B: "Starter", 0x11: "ServerWeb", 0x1B: "EnterpriseN", 0x30: "Professional",
	0x31: "ProfessionalN", 0x62: "CoreN", 0x63: "CoreCountrySpecific", 0x64: "CoreSingleLanguage", 0x65: "Core", 0x67: "ProfessionalWMC",
	0x79: "Education", 0x7A: "EducationN", 0x7D: "EnterpriseS", 0xA1: "ProfessionalWorkstation", 0xBC: "IoTEnterprise",
}

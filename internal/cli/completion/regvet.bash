# Completion of regvet for bash. "source" this file, or put it into ~/.local/share/bash-completion/completions as "regvet".

_regvet() {
	local current=${COMP_WORDS[COMP_CWORD]} line file
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
		$'\t'*)
			[[ $current != "=" ]] || current=
			compopt -o filenames 2>/dev/null
			while IFS= read -r file; do
				if [[ -d $file || ${file##*/} == ${line#$'\t'} ]]; then
					COMPREPLY+=("$file")
				fi
			done < <(compgen -f -- "$current")
			;;
		*) COMPREPLY+=("${line%%$'\t'*}") ;;
		esac
	done < <("${COMP_WORDS[0]}" completion words -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != -*= ]] || compopt -o nospace 2>/dev/null
}

complete -F _regvet regvet

#compdef regvet
# Completion of regvet for zsh. "source" this file behind compinit, or put it into a folder of $fpath as "_regvet".

_regvet() {
	local line pattern
	local -a found
	for line in "${(@f)$("${(Q)words[1]}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
		case $line in
		'') ;;
		$'\t'*) pattern=${line#$'\t'} ;;
		*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
		esac
	done
	if (( $#found )); then
		_describe -V regvet found
	fi
	if [[ -n $pattern ]]; then
		compset -P '*='
		_files -g "$pattern"
	fi
}

if [[ $funcstack[1] == _regvet ]]; then
	_regvet "$@"
else
	compdef _regvet regvet
fi

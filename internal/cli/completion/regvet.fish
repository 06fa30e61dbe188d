# Completion of regvet for fish. "source" this file, or put it into ~/.config/fish/completions as "regvet.fish".

function __regvet_complete
	set -l words (commandline -opc)
	set -l current (commandline -ct)
	for line in ($words[1] completion words -- $words[2..-1] $current 2>/dev/null)
		if string match -qr '^\t' -- $line
			set -l pattern (string sub -s 2 -- $line)
			for file in (__fish_complete_path $current)
				if string match -q -- '*/' (string split -f 1 \t -- $file); or string match -q -- (string replace -ra '\[(.).\]' '$1' -- $pattern) (string lower -- (path basename -- (string split -f 1 \t -- $file)))
					echo $file
				end
			end
		else
			echo $line
		end
	end
end

complete -c regvet -f -a '(__regvet_complete)'

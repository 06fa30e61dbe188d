// Parses a PowerShell script of regvet: node powershell.mjs FILE. It ends with status 1 if the script has an error, holds text that PowerShell would
// expand, or calls anything but the commands that regvet writes.
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {Language, Parser} from 'web-tree-sitter';

await Parser.init();
const grammar = new URL('node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm', import.meta.url);
const parser = new Parser();
parser.setLanguage(await Language.load(fileURLToPath(grammar)));

const file = process.argv[2];
const commands = ['New-Object', 'Test-Key', 'Test-Value', 'Write-Output', 'Write-Error', 'Write-Host'];
const expands = ['expandable_string_literal', 'expandable_here_string_literal', 'sub_expression'];
let wrong = 0;
let literals = 0;
function visit(node) {
	let why = '';
	if (node.isError || node.isMissing) {
		why = 'it does not parse';
	} else if (expands.includes(node.type)) {
		why = 'it is expanded';
	} else if (node.type === 'command_name' && !commands.includes(node.text)) {
		why = 'it is a command';
	}
	if (why) {
		wrong++;
		console.log(`${file}:${node.startPosition.row + 1}:${node.startPosition.column + 1}: ${why}: ${node.text.slice(0, 100)}`);
	}
	literals += node.type === 'string_literal' ? 1 : 0;
	node.children.forEach(visit);
}
visit(parser.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, '')).rootNode);
if (!wrong && !literals) {
	console.log(`${file}: there is no string in it`);
	wrong++;
}
process.exit(wrong ? 1 : 0);

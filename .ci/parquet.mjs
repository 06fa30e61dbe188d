// Reads tables of regvet with DuckDB and ends with status 1 if something is wrong with them:
//   node parquet.mjs report FOLDER LINES     compares a report with JSON lines of the same run
//   node parquet.mjs timeline FILE LINES     compares a timeline
//   node parquet.mjs recipes PAGE            runs each block of SQL in a page, which must give rows
import {readFileSync} from 'node:fs';
import {isDeepStrictEqual, inspect} from 'node:util';
import {DuckDBBlobValue, DuckDBDateValue, DuckDBInstance, DuckDBListValue, DuckDBStructValue, DuckDBTimestampTZValue} from '@duckdb/node-api';

const connection = await (await DuckDBInstance.create()).connect();
const rowsOf = async sql => (await connection.runAndReadAll(sql)).getRowObjects();

function fail(text) {
	console.log(text);
	process.exit(1);
}

// A column is null where JSON has no text, except where no text is something else.
const mayBeEmpty = ['value', 'observed_data', 'observed_text', 'data', 'text', 'label'];

// columnsOf returns an object of JSON as a row has it: the fields of objects in it with a prefix, and nothing for what is not known.
function columnsOf(object, prefix = '') {
	let row = {};
	for (const [name, value] of Object.entries(object)) {
		const column = prefix + name;
		if (value === null || value === '' && !mayBeEmpty.includes(column)) {
			continue;
		}
		if (Array.isArray(value)) {
			row[column] = value.map(one => typeof one === 'object' ? columnsOf(one) : one);
		} else if (typeof value === 'object') {
			row = {...row, ...columnsOf(value, column + '_')};
		} else {
			row[column] = value;
		}
	}
	if (object.data === null) {
		delete row.text; // of data that are lost
	}
	return row;
}

// timeOf returns microseconds from 1970 on, which is what DuckDB has of a time, or 100 ns of Windows, as JSON has them.
function timeOf(ticks, digits) {
	const unit = 10n ** BigInt(digits);
	const part = (ticks % unit + unit) % unit;
	return new Date(Number((ticks - part) / unit) * 1000).toISOString().slice(0, 19) + '.' + part.toString().padStart(digits, '0') + 'Z';
}

// plain returns a row with the types of JSON, without nulls, and without what JSON leaves out because it is false or an empty list.
function plain(cells, want) {
	const row = {};
	for (const [name, cell] of Object.entries(cells)) {
		let value = cell;
		if (cell === null) {
			continue;
		} else if (typeof cell === 'bigint') {
			value = Number(cell);
		} else if (cell instanceof DuckDBBlobValue) {
			value = Buffer.from(cell.bytes).toString('hex');
		} else if (cell instanceof DuckDBDateValue) {
			value = new Date(cell.days * 86400000).toISOString().slice(0, 10);
		} else if (cell instanceof DuckDBTimestampTZValue) {
			value = timeOf(cell.micros, 6);
			if (want[name]?.slice(0, 26) === value.slice(0, 26)) {
				value = want[name]; // the 100 ns are compared below
			}
		} else if (cell instanceof DuckDBListValue) {
			value = cell.items.map((one, i) => one instanceof DuckDBStructValue ? plain(one.entries, want[name]?.[i] ?? {}) : one);
		}
		if (!(name in want) && (value === false || Array.isArray(value) && !value.length)) {
			continue;
		}
		row[name] = value;
	}
	if (typeof cells.modified_filetime === 'bigint') {
		delete row.modified_filetime;
		const exact = timeOf(cells.modified_filetime - 116444736000000000n, 7);
		const year = Number(exact.slice(0, 4));
		if (year < 1678 || year > 2261) {
			row.modified ??= exact; // which nanoseconds cannot tell
		}
		if (row.modified !== exact) {
			row.modified_filetime = exact;
		}
	}
	return row;
}

function same(what, rows, objects) {
	if (rows.length !== objects.length) {
		fail(`${what}: ${rows.length} rows, want ${objects.length}`);
	}
	objects.forEach((object, i) => {
		const want = columnsOf(object);
		const got = plain(rows[i], want);
		for (const name of new Set([...Object.keys(want), ...Object.keys(got)])) {
			if (!isDeepStrictEqual(got[name], want[name])) {
				fail(`${what}: row ${i}: ${name} is ${inspect(got[name], {depth: 5})}, want ${inspect(want[name], {depth: 5})}`);
			}
		}
	});
}

const [mode, file, lines] = process.argv.slice(2);
if (mode === 'recipes') {
	const blocks = [...readFileSync(file, 'utf8').matchAll(/^```sql\n(.*?)^```$/gms)];
	if (blocks.length < 4) {
		fail(`the page has ${blocks.length} blocks of SQL`);
	}
	for (const [, sql] of blocks) {
		const rows = await rowsOf(sql).catch(err => fail(`${err}\n${sql}`));
		if (!rows.length) {
			fail(`it gives nothing:\n${sql}`);
		}
		console.log(`ok ${rows.length} rows of ${sql.split('\n')[0].slice(0, 80)}`);
	}
	process.exit(0);
}
const objects = readFileSync(lines, 'utf8').trimEnd().split('\n').filter(line => line).map(line => JSON.parse(line));
if (mode === 'timeline') {
	const rows = await rowsOf(`FROM '${file}'`);
	same('timeline', rows, objects);
	console.log(`${rows.length} rows`);
	process.exit(0);
}
// What lines have of inputs and findings beside what other formats say, so that reports can be made of them.
const onlyInLines = ['windows_at_least', 'windows_below', 'listed', 'baseline', 'counted', 'lacking', 'raw'];
for (const object of objects) {
	for (const name of onlyInLines) {
		for (const one of [object.input, object.finding, object.refused]) {
			delete one?.[name];
		}
	}
}
const of = name => objects.map(object => object[name]).filter(one => one);
const findings = await rowsOf(`FROM '${file}/findings.parquet'`);
const inputs = await rowsOf(`FROM '${file}/inputs.parquet'`);
const asInput = ({path, ...problem}) => ({path, refused: true, problems: [problem]});
same('findings', findings, of('finding'));
same('inputs', inputs, objects.map(({input, refused}) => input ?? (refused && asInput(refused))).filter(one => one));
inputs.filter(row => row.refused).forEach(row => {
	const more = Object.entries(row).filter(([name, cell]) => cell !== null && !['path', 'refused', 'problems'].includes(name));
	if (more.length) {
		fail(`what could not be read has ${more.map(([name]) => name)}`);
	}
});
const [{about}] = await rowsOf(`SELECT decode(value) AS about FROM parquet_kv_metadata('${file}/inputs.parquet') WHERE decode(key) = 'regvet'`);
const [{schema_version, tool, run}] = objects;
if (!isDeepStrictEqual(JSON.parse(about), {schema_version, tool, run})) {
	fail(`the metadata are ${about}`);
}
console.log(`${findings.length} findings, ${inputs.length} inputs, ${of('refused').length} of them not read`);

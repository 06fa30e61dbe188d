// Looks at pages in Chromium, and says what a reader would stumble over: node .ci/look.mjs CHROMIUM FOLDER PAGE...
//
// Each page is shown 390 and 1280 pixels wide, light and dark, and printed on A4. Into the folder go a picture of each view, and the paper as PDF. The
// browser is driven through a pipe, by the messages of the DevTools protocol with a NUL behind each.
import {spawn} from "node:child_process";
import {readFileSync, writeFileSync} from "node:fs";
import {basename, join, resolve} from "node:path";
import {pathToFileURL} from "node:url";

const [chromium, folder, ...pages] = process.argv.slice(2);
const browser = spawn(chromium, ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
	"--user-data-dir=" + join(folder, "profile"), "--remote-debugging-pipe", "about:blank"], {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"]});
const waiting = new Map();
let last = 0, rest = Buffer.alloc(0), loaded = () => {};
browser.stdio[4].on("data", (data) => {
	rest = Buffer.concat([rest, data]);
	for (let end; (end = rest.indexOf(0)) >= 0; rest = rest.subarray(end + 1)) {
		const message = JSON.parse(rest.subarray(0, end));
		if (message.method === "Page.loadEventFired") loaded();
		const settle = waiting.get(message.id);
		waiting.delete(message.id);
		if (settle) message.error ? settle.reject(new Error(JSON.stringify(message.error))) : settle.resolve(message.result);
	}
});
browser.on("exit", (status) => {
	for (const {reject} of waiting.values()) reject(new Error("the browser ended with status " + status));
});
let session;
const send = (method, params = {}) => new Promise((resolve, reject) => {
	waiting.set(++last, {resolve, reject});
	browser.stdio[3].write(JSON.stringify({id: last, method, params, sessionId: session}) + "\0");
});

// measure runs in the page. It returns what is wrong, a line each.
function measure(width) {
	const wrong = [];
	const say = (what, text) => wrong.length < 20 && wrong.push(what + ": " + JSON.stringify(text.trim().slice(0, 60)));
	if (innerWidth !== width) wrong.push(`the page is ${innerWidth} pixels wide inside, not ${width}`);
	if (document.documentElement.scrollWidth > width) {
		wrong.push(`the page can be scrolled to the side: ${document.documentElement.scrollWidth} pixels in ${width}`);
	}
	if (document.scripts.length) wrong.push("the page has a script");
	// Colours of any kind, as the browser draws them.
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = (colour) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = colour;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data];
	};
	const light = ([r, g, b]) => {
		const part = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
		return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
	};
	const contrast = (a, b) => {
		const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
		return (high + 0.05) / (low + 0.05);
	};
	const behind = (element, rect) => {
		const svg = element.closest("svg");
		if (svg) { // the last shape that is drawn under the middle of the text
			const x = rect.left + rect.width / 2, y = rect.top + rect.height / 2;
			const under = [...svg.querySelectorAll("rect, circle")].filter((shape) => {
				const r = shape.getBoundingClientRect();
				return shape.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING && r.left <= x && x <= r.right && r.top <= y && y <= r.bottom;
			});
			if (under.length) return rgba(getComputedStyle(under.at(-1)).fill);
		}
		for (let e = svg ? svg.parentElement : element; e; e = e.parentElement) {
			const colour = rgba(getComputedStyle(e).backgroundColor);
			if (colour[3] === 255) return colour;
		}
		return rgba("white");
	};
	let words = 0;
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	for (let node; (node = walker.nextNode());) {
		const element = node.parentElement;
		if (!node.data.trim() || element.closest("title")) continue;
		const whole = document.createRange();
		whole.selectNodeContents(node);
		const rect = whole.getBoundingClientRect();
		if (!rect.width) {
			say("not shown", node.data);
			continue;
		}
		if (rect.left < -0.5 || rect.right > width + 0.5) say("outside of the page", node.data);
		const style = getComputedStyle(element);
		const ratio = contrast(rgba(element.closest("svg") ? style.fill : style.color), behind(element, rect));
		if (ratio < 4.5) say(`contrast ${ratio.toFixed(2)}`, node.data);
		// A word or a number, with what belongs into it. Scripts that have no blanks between words may break anywhere.
		for (const match of node.data.matchAll(/[\p{L}\p{N}\p{M}_]+(?:[.,:'’-](?=\p{N})[\p{L}\p{N}\p{M}_]+)*/gu)) {
			if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Khmer}\p{Script=Lao}\p{Script=Myanmar}]/u.test(match[0])) continue;
			words++;
			const range = document.createRange();
			range.setStart(node, match.index);
			range.setEnd(node, match.index + match[0].length);
			const lines = [...range.getClientRects()].filter((r) => r.width > 0);
			const tops = new Set(lines.map((r) => Math.round(r.top)));
			if (tops.size < 2) continue;
			// A word that is wider than its place has to break.
			let block = element;
			while (getComputedStyle(block).display.startsWith("inline") && !getComputedStyle(block).display.includes("block")) block = block.parentElement;
			const room = block.clientWidth - parseFloat(getComputedStyle(block).paddingLeft) - parseFloat(getComputedStyle(block).paddingRight);
			if (lines.reduce((sum, r) => sum + r.width, 0) <= room) say("broken inside", match[0]);
		}
	}
	if (words < 20) wrong.push(`the page shows only ${words} words`);
	// Headings go down one level at a time, and begin with the only one of the first.
	let level = 0;
	for (const h of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
		const next = Number(h.tagName[1]);
		if (next > level + 1 || (level && next === 1)) say(`a heading of level ${next} after one of level ${level}`, h.textContent);
		level = next;
	}
	if (!document.documentElement.lang || !document.title) wrong.push("the page has no language or no title");
	for (const svg of document.querySelectorAll("svg")) {
		if (svg.getAttribute("role") !== "img" || !svg.querySelector(":scope > title")?.textContent) wrong.push("a picture says nothing to those who do not see it");
	}
	for (const th of document.querySelectorAll("th:not([scope])")) say("a heading of a table without scope", th.textContent);
	const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
	if (new Set(ids).size !== ids.length) wrong.push("two elements have one id");
	for (const a of document.querySelectorAll('a[href^="#"]')) {
		if (!document.getElementById(decodeURIComponent(a.getAttribute("href").slice(1)))) say("a link to nothing", a.getAttribute("href"));
	}
	return wrong;
}

let failed = 0;
try {
	const {targetId} = await send("Target.createTarget", {url: "about:blank"});
	({sessionId: session} = await send("Target.attachToTarget", {targetId, flatten: true}));
	await send("Page.enable");
	for (const page of pages) {
		const name = basename(page, ".html");
		for (const width of [390, 1280]) {
			for (const scheme of ["light", "dark"]) {
				await send("Emulation.setDeviceMetricsOverride", {width, height: 844, deviceScaleFactor: 1, mobile: width < 500});
				await send("Emulation.setEmulatedMedia", {features: [{name: "prefers-color-scheme", value: scheme}]});
				const shown = new Promise((resolve) => (loaded = resolve));
				await send("Page.navigate", {url: pathToFileURL(resolve(page)).href});
				await shown;
				// What is folded is looked at, too.
				const {result, exceptionDetails} = await send("Runtime.evaluate", {returnByValue: true, expression:
					`for (const d of document.querySelectorAll("details:not([open])")) d.open = d.dataset.folded = true; (${measure})(${width})`});
				if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
				for (const line of result.value) {
					console.error(`${name}, ${width} pixels, ${scheme}: ${line}`);
					failed++;
				}
				await send("Runtime.evaluate", {expression: `for (const d of document.querySelectorAll("details[data-folded]")) d.open = false`});
				const {contentSize} = (await send("Page.getLayoutMetrics")).cssContentSize ? {contentSize: (await send("Page.getLayoutMetrics")).cssContentSize} : {};
				const {data} = await send("Page.captureScreenshot", {captureBeyondViewport: true, clip: {x: 0, y: 0, width, height: Math.min(contentSize.height, 6000), scale: 1}});
				writeFileSync(join(folder, `${name}-${width}-${scheme}.png`), Buffer.from(data, "base64"));
			}
		}
		// The dark scheme is still on, and must not come to paper.
		const {data} = await send("Page.printToPDF", {preferCSSPageSize: true, printBackground: true});
		writeFileSync(join(folder, name + ".pdf"), Buffer.from(data, "base64"));
	}
	await send("Browser.close").catch(() => {});
} catch (error) {
	console.error(error.message);
	failed++;
}
browser.kill();
process.exitCode = failed ? 1 : 0;

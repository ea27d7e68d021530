// Debian's mocha prints `undefined` for its marks: its log-symbols is newer than it expects.
Object.assign(require("mocha").reporters.Base.symbols, { ok: "✔", err: "✖" });

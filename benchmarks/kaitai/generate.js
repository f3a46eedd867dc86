// Makes domain_context.py from domain_context.ksy; see README.md.
const compiler = require("kaitai-struct-compiler");
const yaml = require("js-yaml");
const fs = require("fs");
const path = require("path");

const description = fs.readFileSync(path.join(__dirname, "domain_context.ksy"), "utf8");
compiler.compile("python", yaml.load(description), null, false).then((files) => {
  for (const name in files) fs.writeFileSync(path.join(__dirname, name), files[name]);
});

// Preloaded before bin/pawl.js: when the command ends, writes V8's code cache of the program beside it, followed by the
// source, and the version, platform and architecture of Node that it is valid for.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const vm = require('node:vm');

vm.Script = class extends vm.Script {
  constructor(text, options) {
    super(text, options);
    process.once('exit', () => {
      const { filename } = options;
      const madeBy = Buffer.from(`${process.version} ${process.platform} ${process.arch}`);
      writeFileSync(`${filename}.draft`, Buffer.concat([this.createCachedData(), readFileSync(filename), madeBy]));
      renameSync(`${filename}.draft`, `${filename}.code`);
    });
  }
};

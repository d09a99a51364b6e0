// The entry of dist/database-12.cjs: version 12 of the database, without the search for its addon.
module.exports = require('database-12/index.js');

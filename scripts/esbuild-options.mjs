/** What every bundle is built for: CommonJS for the oldest version of Node that pawl runs on. */
export const COMMON_JS = { bundle: true, platform: 'node', target: 'node20.19', format: 'cjs' };

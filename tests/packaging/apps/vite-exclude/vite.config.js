export default { optimizeDeps: { exclude: ['tabwire'] } };

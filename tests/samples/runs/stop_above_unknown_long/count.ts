export default () => ({ failed: 1 });

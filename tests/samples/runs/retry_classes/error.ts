export default () => {
  throw new TypeError("wrong");
};

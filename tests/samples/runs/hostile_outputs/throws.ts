export default () => {
  throw new Error("$(touch pwned) `touch pwned` 'x' \n second");
};

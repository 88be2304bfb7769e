export default ({ with: given }: { with: unknown }) => ({ with: given });

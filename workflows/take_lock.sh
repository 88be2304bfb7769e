# Sourced by steps of failure_and_retry.yaml, which name themselves: take_lock NAME
#
# The lock is a symbolic link that points to its holder's name: made and named in one go. A step that was killed
# left it behind; when it is tried again it finds its own name and goes on.
take_lock() {
  if ! ln -s "$1" "$WORK/lock" 2> /dev/null; then
    holder=$(readlink "$WORK/lock") || exit 75 # given back in this moment
    if [ "$holder" != "$1" ]; then
      echo "$holder holds the lock; try again later" >&2
      exit 75
    fi
  fi
  trap 'rm "$WORK/lock"' EXIT
}

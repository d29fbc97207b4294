# What the shell scripts check with: every check counts, none stops the others. Source it with the
# client's name; end with done_checking. $TMP is a folder that goes away.
CLIENT=$1 PASSED=0 FAILED=0
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT

# verdict STATUS WHAT EXPECTED GOT
verdict() {
  if [ "$1" = 0 ]; then PASSED=$((PASSED + 1)); return; fi
  FAILED=$((FAILED + 1))
  printf 'FAIL %s: %s\n  expected: %q\n  got:      %q\n' "$CLIENT" "$2" "$3" "$4"
}
# same EXPECTED GOT WHAT
same() { local status=0; [ "$1" = "$2" ] || status=1; verdict $status "$3" "$1" "$2"; }
# matches PATTERN GOT WHAT
matches() { local status=0; [[ $2 =~ $1 ]] || status=1; verdict $status "$3" "$1" "$2"; }

done_checking() {
  echo "$CLIENT: $PASSED passed, $FAILED failed"
  [ "$FAILED" = 0 ]
}

# Prints "verb  explanation" for every "verb: ... ## explanation" line, under its "##@ heading"; those with ### if all is set.
/^##@ / { heading = substr($0, 5) }
/^[a-z][a-z-]*:.*##+ / {
  if (/### / && all == "") next
  if (heading != "") printf "\n%s\n", heading
  heading = ""
  verb = substr($0, 1, index($0, ":") - 1)
  sub(/^.*##+ /, "")
  printf "  make %-17s %s\n", verb, $0
}

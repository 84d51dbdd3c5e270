# Prints "verb  explanation" for every "verb: ... ## explanation" line, under its "##@ heading".
/^##@ / { heading = substr($0, 5) }
/^[a-z][a-z-]*:.*## / {
  if (heading != "") printf "\n%s\n", heading
  heading = ""
  verb = substr($0, 1, index($0, ":") - 1)
  printf "  make %-17s %s\n", verb, substr($0, index($0, "## ") + 3)
}

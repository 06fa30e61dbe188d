// Command regvet audits the Windows registry from files, without Windows, and writes the .reg patch that puts it right.
package main

import "regvet/internal/cli"

func main() { cli.Main() }

// Command regvet audits the Windows registry from files, without Windows, and writes the .reg patch that puts it right.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

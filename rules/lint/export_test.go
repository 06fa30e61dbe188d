package lint

// Update is the flag -update.
var Update = update

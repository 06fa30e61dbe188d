// Package imagetest writes images, partition tables, filesystems and archives for tests, small and in memory.
package imagetest

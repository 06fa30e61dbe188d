# Reads .reg text that programs write, for the comparisons in this folder. It knows the forms that they use, and dies on any other.
package RegText;
use strict;
use warnings;
use Encode ();
use Exporter 'import';

our @EXPORT_OK = qw(slurp_utf16 slurp_utf8 units read_reg until_nul);

# Text is handled as UTF-16 code units, each a character, because a hive may hold halves of surrogate pairs.
sub units {
    my ($text) = @_;
    $text =~ s/([\x{10000}-\x{10FFFF}])/pack 'U*', unpack 'v*', Encode::encode('UTF-16LE', $1)/ge;
    return $text;
}

sub slurp_utf16 {
    my ($name) = @_;
    open my $file, '<:raw', $name or die "$name: $!\n";
    local $/ = "\r\0\n\0";
    my $text = '';
    while (my $line = <$file>) {
        $text .= pack 'U*', unpack 'v*', $line;
    }
    $text =~ s/^\x{FEFF}// or die "$name: no byte order mark\n";
    $text =~ s/\r\n/\n/g;
    $text =~ s/([,:])\\\n  /$1/g; # only hex continues on another line: no text that is read here has a line break
    return $text;
}

sub slurp_utf8 {
    my ($name) = @_;
    open my $file, '<:encoding(UTF-8)', $name or die "$name: $!\n";
    local $/;
    return units(scalar <$file>);
}

# read_reg returns each key and value of .reg text by its place: [KEY], and [KEY]"NAME" with the name as it is. A value that was
# written as text says so. An array in the arguments gets the places in the order of the text. Wine writes a line
# break as \r or \n where Windows and regvet know no such escape; it is one in the data of text only if the last argument is true.
sub read_reg {
    my ($text, $order, $breaks) = @_;
    my %all;
    my $key;
    my $quoted = qr/"((?:[^"\\]++|\\.)*+)"/s;
    my $add = sub {
        my ($at, $what) = @_;
        die "twice: $at\n" if $all{$at};
        $all{$at} = $what;
        push @$order, $at if $order;
    };
    $text =~ s/^Windows Registry Editor Version 5\.00\n// or die "not a .reg file of version 5.00\n";
    pos($text) = 0;
    while (pos($text) < length $text) {
        if ($text =~ /\G(?:;[^\n]*)?\n/gc) {
            next;
        } elsif ($text =~ /\G\[([^\n]*?)\\?\]\n/gc) {
            $key = $1;
            $add->("[$key]", {key => 1});
        } elsif ($text =~ /\G(?:@|$quoted)=/gc) {
            my $at = "[$key]\"" . unescape($1 // '') . "\"";
            if ($text =~ /\Gdword:([0-9a-f]{8})\n/gc) {
                $add->($at, {type => 4, data => pack 'V', hex $1});
            } elsif ($text =~ /\Ghex(?:\(([0-9a-f]+)\))?:([0-9a-f,]*)\n/gc) {
                my ($type, $digits) = ($1 // '3', $2);
                $digits =~ tr/0-9a-f//cd;
                $add->($at, {type => hex $type, data => pack 'H*', $digits});
            } elsif ($text =~ /\G$quoted\n/gc) {
                $add->($at, {type => 1, text => 1, data => pack 'v*', map { ord } split //, unescape($1, $breaks) . "\0"});
            } else {
                die "not understood: " . substr($text, pos $text, 200) . "\n";
            }
        } else {
            die "not understood: " . substr($text, pos $text, 200) . "\n";
        }
    }
    return %all;
}

sub unescape {
    my ($s, $breaks) = @_;
    $s =~ s/\\(.)/$breaks && $1 eq 'r' ? "\r" : $breaks && $1 eq 'n' ? "\n" : $1/gse;
    return $s;
}

# until_nul returns the data of text up to and including its first NUL.
sub until_nul {
    my ($data) = @_;
    my @units = unpack 'v*', $data;
    my @text;
    for (@units) {
        last if $_ == 0;
        push @text, $_;
    }
    return pack 'v*', @text, 0;
}

1;

# SPDX-License-Identifier: GPL-2.0-only
#
# An SVG of the samples that tests/storm/plot writes: a panel for each run.

# A round number, so that four to eight of it make up the whole
function step(whole,    unit)
{
    for (unit = 1; unit * 80 <= whole; unit *= 10)
        ;
    return unit * (whole > 40 * unit ? 10 : whole > 16 * unit ? 5 : 2)
}

function text(x, y, what, more)
{
    printf "<text x=\"%.1f\" y=\"%.1f\"%s>%s</text>\n", x, y, more, what
}

# line(PATH, COLOUR, MORE)
function line(path, colour, more)
{
    printf "<path d=\"%s\" stroke=\"%s\" fill=\"none\"%s/>\n", path, colour, more
}

$1 == "title" { sub(/^title /, ""); gsub(/&/, "\\&amp;"); gsub(/</, "\\&lt;"); title[++runs] = $0; next }
$1 == "cut" { cut[runs, ++cuts[runs]] = $2; next }
{
    n = ++samples[runs]
    t[runs, n] = $1
    curve[1, runs, n] = $2
    curve[2, runs, n] = $3
    last[runs] = $1
    for (i = 2; i <= 3; ++i)
        most = $i > most ? $i : most
}

END {
    split("#0077bb #cc3311", colour, " ")
    split("peers (kernel)|instances (server)", name, "|")
    print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" 440 * runs "\" height=\"340\" font-family=\"sans-serif\" font-size=\"12\">"
    print "<!-- SPDX-License-Identifier: GPL-2.0-only -->\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
    for (r = 1; r <= runs; ++r)
    {
        printf "<g transform=\"translate(%d,270)\">\n", 440 * r - 385
        text(175, -242, title[r], " text-anchor=\"middle\"")
        text(175, 36, "seconds", " text-anchor=\"middle\"")
        height = 215 / most
        width = 350 / last[r]
        for (y = 0; y <= most; y += step(most))
        {
            line("M0," (-y * height) "h350", "#ddd")
            text(-6, -y * height + 4, y, " text-anchor=\"end\"")
        }
        for (x = 0; x <= last[r]; x += step(last[r]))
            text(x * width, 18, x, " text-anchor=\"middle\"")
        for (i = 1; i <= cuts[r]; ++i)
            line(sprintf("M%.1f,0v-220", cut[r, i] * width), "#888", " stroke-dasharray=\"3\"")
        text(cut[r, 1] * width, -224, "packets dropped", " text-anchor=\"middle\" font-size=\"10\"")
        line("M0,-220v220h350", "black")
        for (c = 1; c <= 2; ++c)
        {
            path = "M0,0"
            for (i = 1; i <= samples[r]; ++i)
                path = path sprintf("H%.1fV%.1f", t[r, i] * width, -curve[c, r, i] * height)
            line(path, colour[c], " stroke-width=\"2\"")
            line("M" 190 * c - 180 ",52h24", colour[c], " stroke-width=\"2\"")
            text(190 * c - 150, 56, name[c])
        }
        print "</g>"
    }
    print "</svg>"
}

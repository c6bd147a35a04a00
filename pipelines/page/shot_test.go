package page

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the screenshots of docs/images anew")

// The pictures of the documentation are of the page as it is; -update writes them.
func TestBrowserScreenshots(t *testing.T) {
	address, b := aShift(t), browse(t)
	b.prefers("light")
	for file, path := range map[string]string{"page.png": "/", "ioc.png": iocPath("site", "bl45p", troubled)} {
		b.open(address + path)
		b.until(`document.readyState === "complete" && (!document.getElementById("iocs") || ` + isLive + `)`)
		require.Equal(t, 1200, see[int](b, `document.documentElement.scrollWidth`), "nothing is cut off")
		shot, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		require.NoError(t, err)
		small := shrink(t, shot)
		require.Less(t, len(small), 200<<10, file)
		if *update {
			require.NoError(t, os.MkdirAll("../../docs/images", 0o755))
			require.NoError(t, os.WriteFile("../../docs/images/"+file, small, 0o644))
		}
	}
}

// shrink returns a PNG with the 256 colours that it has most of.
func shrink(t *testing.T, shot []byte) []byte {
	t.Helper()
	whole, err := png.Decode(bytes.NewReader(shot))
	require.NoError(t, err)
	count, area := map[color.Color]int{}, whole.Bounds()
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			count[whole.At(x, y)]++
		}
	}
	most := func(a, b color.Color) int { return cmp.Compare(count[b], count[a]) }
	palette := slices.SortedFunc(maps.Keys(count), most)
	small := image.NewPaletted(area, palette[:min(256, len(palette))])
	draw.Draw(small, area, whole, area.Min, draw.Src)
	var text bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	require.NoError(t, encoder.Encode(&text, small))
	return text.Bytes()
}

// What of a notebook that is open is cut off at its right without a scroll bar, squeezed, or too pale on its ground.
() => {
    const found = [];
    const clips = element => ["hidden", "clip"].includes(getComputedStyle(element).overflowX);
    const scrolls = element => ["auto", "scroll"].includes(getComputedStyle(element).overflowX);
    const parts = colour => colour.match(/[\d.]+/g).map(Number);
    const luminance = ([red, green, blue]) => {
        const linear = [red, green, blue].map(c => c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    };
    const ground = element => {
        for (; element; element = element.parentElement) {
            const colour = parts(getComputedStyle(element).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const contrast = element => {
        const [dark, light] = [parts(getComputedStyle(element).color), ground(element)].map(luminance).sort((a, b) => a - b);
        return (light + 0.05) / (dark + 0.05);
    };
    const cut = element => {
        const right = element.getBoundingClientRect().right;
        for (let box = element.parentElement; box; box = box.parentElement) {
            if (scrolls(box) && box.scrollWidth > box.clientWidth) return 0;
            if (clips(box) || scrolls(box)) return right - box.getBoundingClientRect().right;
        }
        return 0;
    };
    window.jupyterapp.shell.currentWidget.content.widgets.forEach(cell => {
        const say = (element, what) => found.push(`${cell.model.id}: ${element.localName} "${element.textContent.slice(0, 40)}" ${what}`);
        for (const shown of cell.node.querySelectorAll(".jp-MarkdownOutput, .jp-OutputArea-output")) {
            for (const element of shown.querySelectorAll("*")) {
                if (!element.getClientRects().length) continue;
                if (cut(element) > 1) say(element, `is cut off by ${Math.round(cut(element))} pixels`);
                if (element.localName === "img" && element.naturalWidth > element.width + 1)
                    say(element, `is squeezed from ${element.naturalWidth} to ${element.width} pixels`);
                const words = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
                if (words && contrast(element) < 4.5) say(element, `has contrast ${contrast(element).toFixed(1)}`);
            }
        }
    });
    return found;
}

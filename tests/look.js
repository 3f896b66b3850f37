// What of the open notebook is not seen, a line for each: texts that do not fit into their cell, outputs that are cut
// off and cannot be scrolled, pictures that are squeezed or have no words, words that are too pale on their ground.
() => {
    const LEAST_CONTRAST = 4.5, LEAST_SIZE = 0.85;
    const PARTS = "mjx-math, img, svg, table, pre, p, li, h1, h2, h3, select, button, input, label";
    const overflow = element => getComputedStyle(element).overflowX;
    const channels = colour => colour.match(/[\d.]+/g).map(Number);
    const linear = share => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    const luminance = ([red, green, blue]) =>
        0.2126 * linear(red / 255) + 0.7152 * linear(green / 255) + 0.0722 * linear(blue / 255);
    const ground = element => {
        const [red, green, blue, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
        return alpha === 1 ? [red, green, blue] : ground(element.parentElement);
    };
    const contrast = element => {
        const both = [channels(getComputedStyle(element).color), ground(element)].map(luminance);
        return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    };
    const beyond = (element, mayScroll) => {  // pixels that are out of sight, at the right
        for (let box = element.parentElement; box; box = box.parentElement) {
            if (overflow(box) === "visible") continue;
            const { left } = box.getBoundingClientRect();
            const found = Math.round(element.getBoundingClientRect().right - left - box.clientLeft - box.clientWidth);
            if (found > 1) return mayScroll && ["auto", "scroll"].includes(overflow(box)) ? 0 : found;
        }
        return 0;
    };
    const faults = element => {
        const words = element.alt || element.closest("mjx-container")?.textContent || element.textContent;
        const found = [], name = `${element.localName} "${words.trim().replace(/\s+/g, " ").slice(0, 40)}"`;
        const hidden = element.matches(PARTS) ? beyond(element, element.closest(".jp-OutputArea-output")) : 0;
        if (hidden) found.push(`${name} reaches ${hidden} pixels too far`);
        if (element.naturalWidth * LEAST_SIZE > element.width)
            found.push(`${name} is squeezed from ${element.naturalWidth} to ${element.width} pixels`);
        const silent = element.localName === "img" && ["", "Image"].includes(element.alt);  // JupyterLab writes "Image"
        if (silent) found.push(`${name} has no words`);
        const holdsText = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        const says = holdsText || element.matches("select, input");
        if ((says || element.localName === "mjx-math") && contrast(element) < LEAST_CONTRAST)
            found.push(`${name} has contrast ${contrast(element).toFixed(1)}`);
        return found;
    };
    return window.jupyterapp.shell.currentWidget.content.widgets.flatMap(cell =>
        [...cell.node.querySelectorAll(":is(.jp-MarkdownOutput, .jp-OutputArea-output) *")]
            .filter(element => element.getClientRects().length && !element.closest("mjx-assistive-mml"))
            .flatMap(faults).map(fault => `${cell.model.id}: ${fault}`));
}

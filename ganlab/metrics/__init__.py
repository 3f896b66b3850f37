"""How good is a generator? Each measure says what it misses.

`modes` and `parzen` are for points and small images, `stacked_modes` for three digits at once. Images are compared in
`features`: `frechet` compares means and covariances, `kernel` moments up to the third and without a bias,
`precision_recall` which points lie near which; `neighbours` asks whether they are copies, and whether labelled ones
tell real ones apart. `classifier_score` asks how sure a classifier is of images and how many classes there are, `probe`
what a linear classifier makes of features; `strokes` measure how a digit is written. On sets with one fault each, made
from real images (`ganlab.faults`), they move so against real images:

    fault           Fréchet, kernel distance   classifier score   precision   recall   coverage   near training images
    collapsed       up                         either              same        to 0     down       either
    memorised       same                       same               same        same     same       all
    blurred         up                         down               either      down     down       same
    noisy           up                         down               down        down     down       same
    class missing   up, hardly                 down               same        down     either     same
    uneven          up                         down               either      same     down       same
"""

"""How good is a generator? Each measure says what it misses.

`modes` and `parzen` are for points and small images, `stacked_modes` for three digits at once. Images are compared in
`features`: `frechet` compares means and covariances, `kernel` moments up to the third and without a bias,
`precision_recall` which points lie near which; `neighbours` asks whether they are copies, and whether labelled ones
tell real ones apart. `classifier_score` asks how sure a classifier is of images and how many classes there are, `probe`
what a linear classifier makes of features; `strokes` measure how a digit is written. On sets
with one fault each, made from real images, they move so against real images:

    fault           Fréchet distance   precision   recall   coverage   near the training images
    collapsed       up                 same        to 0     down       either
    memorised       same               same        same     same       all
    blurred         up                 either      down     down       same
    noisy           up                 down        down     down       same
    class missing   up                 same        down     down       same
"""

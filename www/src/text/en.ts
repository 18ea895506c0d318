import type { FieldGroup, FieldPath } from '../state/fields';
import type { CostMeasure, SelectorName, Start, TaskKind } from '../worker/core';

/** The page in English. Every other language has the same shape. */
export const en = {
  language: 'English',
  title: 'Graftlab: join trained networks into one',
  skip: 'Skip to the networks',

  intro: {
    heading: 'Join trained networks into one.',
    lead: 'Networks that look at the same kind of image repeat much of each other’s work. Graftlab finds where one can borrow from another, joins them there, fine-tunes the result, and gives you a single ONNX file that does every task.',
    local: 'All of it is computed in this tab. Nothing is installed, and nothing leaves your machine.',
    drawing: 'Drawing: three networks, joined. Two of them start inside the first one.',
  },

  samples: {
    heading: 'Start from a sample',
    again: 'Start again from a sample',
    run: 'Load and run',
    load: 'Load only',
    loading: (title: string) => `Loading ${title}…`,
    missing: 'The samples of this site can’t be read.',
    missingHint: 'Reload the page, or drop your own files below.',
    descriptions: {
      glyphs:
        'Three networks over the same images of letters: which character, which kind of typeface, which emphasis.',
      'garments-digits':
        'Two networks from different worlds, clothes and handwritten digits. No image is labelled for both.',
    } as Record<string, string>,
    titles: { glyphs: 'Glyphs', 'garments-digits': 'Garments and digits' } as Record<string, string>,
  },

  networks: {
    heading: 'Networks',
    help: 'Two or more image classifiers as ONNX files. Lines are drawn to scale: their length is their cost.',
    choose: 'Choose ONNX files',
    drop: 'or drop them anywhere on this page',
    adding: (name: string) => `Reading ${name}…`,
    remove: (name: string) => `Remove ${name}`,
    units: {
      class: (count: string) => `${count} classes`,
      labels: (count: string) => `${count} labels`,
      values: (count: string) => `${count} values`,
    },
    input: 'input',
    macs: 'MACs',
    params: 'parameters',
    joinPoints: (count: string) => `${count} join points`,
    laneLabel: (name: string, points: string, macs: string) =>
      `${name}: ${points} join points along ${macs} multiply-accumulate operations.`,
    tensor: 'Tensor',
    shape: 'Channels × height × width',
    before: 'MACs before',
    after: 'MACs after',
    operators: 'Operators',
    opset: 'opset',
    classNames: 'Classes',
    needTwo: 'One more network is needed before anything can be joined.',
  },

  base: {
    label: 'Is one of them in use already?',
    none: 'No, all may change',
    keep: (task: string) => `Add functions to ${task}`,
    help: 'If so, choose it: it stays exactly as it is, and the others are grafted on it.',
    chosen: (task: string) =>
      `${task} stays as it is, bit by bit. Only what is added learns, and you can take that alone as graft.onnx.`,
    tag: 'stays as it is',
  },

  form: {
    heading: (file: string) => `What does ${file} do?`,
    task: 'Task',
    taskHelp: 'One word, for example “species”. If your labels.csv has a column for it, use the same word.',
    kind: 'Its outputs are',
    kinds: {
      auto: 'as its last layer says',
      class: 'one of several classes',
      labels: 'any of several labels',
      values: 'numbers',
    },
    output: 'Which output',
    outputHelp: 'Only where the file has several: the name of the one that is meant.',
    classes: 'Names of the outputs',
    classesHelp: 'In the order of the outputs, one per line. Leave it empty if you have no names.',
    preprocessing: 'Images were scaled to',
    presets: {
      bytes: '0 to 255',
      unit: '0 to 1',
      signed: '−1 to 1',
      imagenet: 'ImageNet mean and deviation',
    },
    add: 'Add network',
    leave: 'Leave it out',
  },

  data: {
    heading: 'Images',
    help: 'What the networks look at. Labels help; without them the originals teach.',
    chooseZip: 'Choose a zip',
    chooseFolder: 'Choose a folder',
    drop: 'or drop it anywhere on this page',
    formats:
      'Images in class folders, or images with a labels.csv (column “file”, then one column per task), or images alone.',
    reading: 'Reading the images…',
    readingSome: (done: string, total: string) => `Reading the images: ${done} of ${total}`,
    images: (count: string) => `${count} images`,
    size: (w: number, h: number, channels: number) => `${w} × ${h}, ${channels === 1 ? 'grey' : 'colour'}`,
    splits: 'How they are used',
    train: 'train',
    architecture: 'search',
    validation: 'validate',
    test: 'test',
    labelled: (count: string, all: string) => `${count} of ${all} labelled`,
    unlabelled: 'no labels: its network teaches it',
    noNetwork: 'no network has this task',
    perClassLabel: (task: string, low: string, high: string) =>
      `${task}: between ${low} and ${high} images per class.`,
    unusedTasks: (names: string) => `Labels that no network has a task for: ${names}`,
    skipped: (count: string) => `Files skipped: ${count}`,
    thumbnails: 'All images',
  },

  snapshots: {
    open: 'Take pictures with the camera',
    help: 'Some dozens, from all sides. Pictures of the same second look alike: all of them are learnt from, or none is.',
    seen: 'What the camera sees',
    shows: 'What is in front of it',
    unsaid: 'not said',
    one: 'Take one',
    many: 'Take many in one go',
    enough: 'Enough',
    close: 'Close the camera',
    taken: (count: string) => `Pictures taken: ${count}. They stay in this tab.`,
    use: (count: string) => `Use these ${count}`,
    discard: 'Throw them away',
  },

  settings: {
    heading: 'Search',
    help: 'How small the joined network must be, and how to look for it.',
    budget: 'Budget',
    budgetValue: (percent: string) => `at most ${percent} of the cost`,
    budgetOf: (merged: string, all: string, what: string) => `${merged} of ${all} ${what}`,
    countsLegend: 'It counts',
    counts: { macs: 'MACs', params: 'parameters', milliseconds: 'milliseconds' } satisfies Record<
      CostMeasure,
      string
    >,
    countsTime:
      'Every stretch of the networks is timed on this device before the search; another device may choose otherwise.',
    budgetFloor: (name: string, percent: string) =>
      `Below ${percent} no plan can go without skipping layers of ${name}, the cheapest network.`,
    budgetBase: (name: string, percent: string) =>
      `${name} stays whole, which alone is ${percent} of the cost.`,
    selector: 'Who chooses',
    moreSelectors: 'More ways to choose',
    selectors: {
      differentiable: {
        name: 'Search',
        help: 'Learns how likely each join is while all plans train together, then compares the best.',
      },
      matching: {
        name: 'Best match',
        help: 'Takes joins whose borrowed features fit best before any training, then compares some.',
      },
      'share-all': {
        name: 'Share everything',
        help: 'One network carries all; the others keep only their last layers.',
      },
      'fixed-depth': { name: 'Same depth', help: 'Joins every network at the same relative depth.' },
      random: { name: 'Random', help: 'Draws plans within the budget and compares them.' },
      halving: {
        name: 'Knockout',
        help: 'Draws many plans at random; the better half trains on, again and again.',
      },
      annealing: {
        name: 'Small changes',
        help: 'Changes one join at a time and keeps what helps, and now and then what does not.',
      },
      exhaustive: {
        name: 'Try every plan',
        help: 'Trains each plan within the budget. Only for small networks: it can take days.',
      },
    } satisfies Record<SelectorName, { name: string; help: string }>,
    labels: 'Use labels',
    labelsHelp: 'Off: the joined network learns from the originals’ answers alone.',
    effort: 'How long',
    quick: 'Quick',
    quickHelp:
      'One to two minutes for a sample on two cores. Shows how it goes; the accuracy is not the aim.',
    full: 'Full',
    fullHelp: 'About 5 minutes for a sample on two cores. Trains until the joined network holds up.',
    seed: 'Seed',
    seedHelp: 'Same seed, same backend: same plan.',
  },

  fields: {
    heading: 'All settings',
    changed: (count: number) => `${count} changed`,
    help: 'The defaults follow the effort above. run.json and the command line use the same names.',
    reset: 'Back to the defaults',
    before: (value: string) => `Default: ${value}.`,
    wanted: {
      count: 'A whole number from 1.',
      whole: 'A whole number from 0.',
      positive: 'A number above 0.',
      weight: 'A number from 0.',
      share: 'From 0 to below 1.',
    },
    groups: {
      search: 'Candidates and comparison',
      differentiable: 'Only for “Search”',
      distil: 'What the loss is made of',
      train: 'Training',
      augment: 'Changes to the images while training',
    } satisfies Record<FieldGroup, string>,
    options: {
      fitted: 'fitted',
      random_adapters: 'random',
      scratch: 'scratch',
    } satisfies Record<Start, string> as Record<string, string>,
    /** The name of each, and what it does. */
    names: {
      'search.shortcuts': ['Shortcuts', 'A network may also skip layers of its own.'],
      'search.adapter_activation': ['Activation in adapters', 'That of the layer whose place they take.'],
      'search.recalibrate_scores': [
        'Fresh statistics for scores',
        'Batch normalisation is re-estimated behind a join before the join is scored.',
      ],
      'search.calibration_images': ['Calibration images', 'Adapters are fitted on them.'],
      'search.ridge_rows_per_channel': ['Positions per channel', 'How many the fit of an adapter sees.'],
      'search.score_images': ['Scoring images', 'Further ones, on which grafts are compared with originals.'],
      'search.scored_donor_points': [
        'Scored joins per point',
        'Of each donor the best that fit; the others are no candidates any more.',
      ],
      'search.finalists': ['Plans compared', 'Trained briefly before one is chosen.'],
      'search.finalist_rounds': ['Rounds', 'After each the better half goes on with twice the images.'],
      'search.finalist_image_passes': ['Images in the last round', 'Counting each time an image is seen.'],
      'search.front_budgets': [
        'Budgets of the front',
        'One plan for each of so many further budgets is compared too, beside two baselines; 0 compares none.',
      ],
      'search.evaluations': ['Plans trained', 'Only for “Knockout” and “Small changes”.'],
      'search.survivors_per_point': ['Joins per point', 'The best per donor that enter the search.'],
      'search.supernet_steps': ['Steps', 'One batch each.'],
      'search.warm_up': ['Warm-up', 'Share of the steps in which only adapters learn.'],
      'search.logit_learning_rate': ['Learning rate of the choices', 'How fast probabilities move.'],
      'search.budget_penalty': ['Weight of the budget', 'On the expected cost above it.'],
      'search.entropy_weight': ['Weight of decisiveness', 'On what is still undecided, growing to the end.'],
      'train.temperature': ['Temperature', 'Softens both answers before they are compared.'],
      'train.distillation_weight': ['Distillation', 'Distance to the original’s answers.'],
      'train.label_weight': ['Labels', 'Cross-entropy with the labels, where there are any.'],
      'train.hint_weight': ['Hints', 'Distance to the original’s features after a join. 0: off.'],
      'train.self_distillation_weight': [
        'Self-distillation',
        'Extra heads that learn from the deepest one. 0: off.',
      ],
      'train.lagging_task_weight': ['Lagging task', 'Factor for the task furthest behind. 1: off.'],
      'train.start': [
        'Starts from',
        'The originals, with adapters that are fitted or random; or random weights everywhere, to compare.',
      ],
      'train.image_passes': ['Images', 'That pass while it distils, counting each time.'],
      'train.batch_size': ['Batch size', 'Images per step.'],
      'train.learning_rate': ['Learning rate', 'Its peak; it rises and falls in one cycle.'],
      'train.trunk_learning_rate': ['Learning rate of the trunk', 'Relative to that of adapters and tails.'],
      'train.weight_decay': ['Weight decay', 'Of AdamW.'],
      'train.fixed_statistics': ['Fixed statistics', 'Batch normalisation keeps those of the originals.'],
      'train.views': ['Versions of each image', 'Originals see each once.'],
      'train.augment.shift_px': ['Shift', 'In pixels.'],
      'train.augment.rotate_deg': ['Rotation', 'In degrees.'],
      'train.augment.scale': ['Size', 'Relative.'],
      'train.augment.brightness': ['Brightness', 'Relative to the whole range.'],
      'train.augment.contrast': ['Contrast', 'Relative.'],
      'train.augment.noise': ['Noise', 'Standard deviation, relative to the whole range.'],
      'train.augment.flip': ['Mirror', 'Half of the time. Letters and digits do not survive it.'],
    } satisfies Record<FieldPath, [string, string]> as Record<FieldPath, [string, string]>,
  },

  run: {
    heading: 'Run',
    help: 'Candidates are scored, a plan is chosen, and the joined network learns from the originals.',
    start: 'Run',
    again: 'Run again',
    stop: 'Stop',
    stopping: 'Stopping…',
    stopHelp: 'Stopping while it distils keeps the network as trained so far.',
    pause: 'Pause',
    goOn: 'Go on',
    pausedIn: (name: string, nth: number) => `Paused in phase ${nth} of 6: ${name}`,
    computedBy: (device: string) => `On ${device}.`,
    notReady: {
      core: 'The compute core is still starting.',
      noCore: 'No compute core is running; see above.',
      networks: 'Add two networks or more.',
      data: 'Add images.',
      busy: 'Something is still being read.',
    },
    phases: {
      teachers: 'Ask the originals',
      score: 'Score joins',
      search: 'Choose a plan',
      distil: 'Distil',
      evaluate: 'Evaluate',
      export: 'Write files',
    },
    /** What goes on while a phase can't tell how far it is. */
    silent: {
      teachers: 'Preparing the originals',
      score: 'Fitting an adapter for every join; scores follow',
      distil: 'Building the joined network',
      evaluate: 'Comparing it with the originals on images that nothing has seen',
      export: 'Writing the files',
    },
    phaseNow: (name: string, nth: number) => `Phase ${nth} of 6: ${name}`,
    /** The search has two parts, and each knows only its own time. */
    searchParts: { together: 'Training all plans together', compare: 'Comparing plans after brief training' },
    leftPart: (duration: string) => `about ${duration} left in this part`,
    left: (duration: string) => `about ${duration} left in this phase`,
    elapsed: (duration: string) => `${duration} so far`,
    finished: (duration: string) => `Finished after ${duration}.`,
    toResult: 'See the result',
    stopped: 'Stopped. The network below is as far as training got.',
    stoppedEarly: 'Stopped before there was a network. Everything loaded is still here.',
    failed: 'The run failed. Everything loaded is still here.',
    speed: (images: string) => `${images} images per second`,
    warnings: 'Notes',
  },

  brokenOff: {
    told: (when: string, reached: string) =>
      `A run was broken off. It was started on ${when}${reached && ` and had come to “${reached}”`}.`,
    help: 'It goes on from there as if nothing had happened. A new run takes its place.',
    others: 'It was started with other networks or images. Load those to go on with it.',
    goOn: 'Continue the run that was broken off',
    discard: 'Discard it',
    lost: 'If the page is closed, this run may be lost.',
    otherRun: 'The run that was broken off can’t be continued with what is loaded now.',
    otherRunHint:
      'Networks, images or the version of Graftlab are not those it was started with. Start it anew.',
  },

  heat: {
    heading: 'Where could they join?',
    help: 'Each cell is one join: the line on the left lends its features, the line on top goes on from there. The fuller the cell, the more often the graft agrees with the original beyond chance, before any training.',
    label: (donors: string, count: string) =>
      `Heat map of ${count} scored joins between ${donors}. Use the arrow keys to read single cells.`,
    cell: (donor: string, dPoint: number, receiver: string, rPoint: number) =>
      `${donor} at ${dPoint} into ${receiver} at ${rPoint}`,
    agreement: 'agreement',
    beyondChance: 'beyond chance (κ)',
    divergence: 'divergence',
    fit: 'fit R²',
    chosen: 'chosen',
    empty: 'not scored',
    hint: 'Point at a cell, or use the arrow keys.',
    waiting: 'Scores appear here.',
  },

  curves: {
    lossHeading: 'Loss',
    lossHelp: 'Per task while the joined network trains, smoothed over about ten steps.',
    lossLabel: (step: string, loss: string) => `Loss by training step. At step ${step} the sum is ${loss}.`,
    accuracyHeading: 'Accuracy on validation images',
    accuracyHelp:
      'Solid: joined network. Dashed: its original. Where no image is labelled, the curve tells how often the joined network answers as its original does.',
    accuracyLabel: (parts: string) => `Validation accuracy by training step. ${parts}`,
    accuracyPart: (task: string, student: string, teacher: string) =>
      `${task}: ${student}, original ${teacher}.`,
    waiting: 'Curves appear here when training starts.',
    learningRate: 'Learning rate',
    speed: 'Images per second',
    paceLabel: (heading: string, value: string) => `${heading} by training step, now ${value}.`,
  },

  save: {
    label: (heading: string) => `Save “${heading}”`,
    as: (heading: string, kind: string) => `Save “${heading}” as ${kind}`,
    failed: 'This browser could not make the file.',
  },

  likely: {
    heading: 'Where the search leans',
    headingOver: 'Where the search leaned',
    help: 'All plans train together, and the search learns how likely each network’s source is. The best plans are then trained apart and compared.',
    helpOver:
      'How likely each network’s source was. The best plans were then trained apart, and that comparison decided: ✓ marks what it chose, if that is among these.',
    root: 'keeps its own input',
    /** What stands before the donor and after it. */
    join: (dPoint: number, rPoint: number): [string, string] => [
      'reads',
      `at ${dPoint}, goes on at ${rPoint}`,
    ],
    shortcut: (from: number, to: number) => `skips from ${from} to ${to}`,
    cost: 'Expected cost',
    costOf: (cost: string, budget: string) => `${cost}, budget ${budget}`,
    undecided: 'Still undecided',
    undecidedOf: (percent: string, word: string) => `${percent}, ${word}`,
    certainty: { open: 'wide open', leaning: 'leaning', nearly: 'nearly decided', decided: 'decided' },
    chosen: 'chosen',
    step: 'Go through the search',
    stepOf: (step: string, steps: string) => `step ${step} of ${steps}`,
    waiting: 'after the scores',
    bands: 'how likely each source is, from the first step to the last',
    bandsLabel: (task: string, share: string) =>
      `${task}: probabilities of its sources over the search. The likeliest now has ${share}.`,
  },

  finalists: {
    heading: 'Plans compared',
    help: 'Each is trained briefly; what then loses least is chosen.',
    helpRounds: 'Each is trained briefly. The better half goes on to the next round with twice the images.',
    plan: 'Plan',
    cost: 'Cost',
    after: (images: string) => `after ${images} images`,
    images: 'Images of training',
    dropAlone: 'Worst drop in points',
    chosen: 'chosen',
    more: (count: string) => `${count} more plans did worse; run.json has them all.`,
  },

  pareto: {
    heading: 'Cost against loss',
    help: 'Each point is a plan; left and low is good. A point opens its plan below.',
    label: 'Plans by cost and loss',
    point: (nth: string, cost: string, drop: string, isChosen: boolean) =>
      `Plan ${nth}: ${cost} of the cost, worst drop ${drop} points${isChosen ? ', chosen' : ''}`,
    across: 'Cost, relative to the originals →',
    up: 'Points lost ↑',
    budget: 'budget',
    last: 'compared to the end',
    early: 'left earlier',
    front: 'nothing costs less and loses less',
    ofCost: 'of the cost',
    lost: (images: string) => `points lost at worst, after ${images} images of training`,
  },

  plan: {
    heading: 'Networks before and after',
    pieces: (which: string) => `${which}: use the arrow keys to read the layers between join points.`,
    piece: (task: string, from: string, to: string) => `${task}, from ${from} to ${to}`,
    pieceHint: 'Point at a stretch of a line, or use the arrow keys: its shapes and its cost.',
    input: 'the image',
    output: 'its answer',
    usedBy: (tasks: string) => `computed once for ${tasks}`,
    apart: 'Apart',
    joined: 'Joined',
    label: (parts: string) => `Plan drawing. ${parts}`,
    root: (name: string) => `${name} keeps its own input.`,
    join: (name: string, donor: string, dPoint: number, rPoint: number) =>
      `${name} starts at its join point ${rPoint} from ${donor}’s join point ${dPoint}.`,
    shortcut: (name: string, from: number, to: number) =>
      `${name} keeps its own input and skips its layers between join points ${from} and ${to}.`,
    legendPoint: 'join point',
    legendStation: 'shared up to here',
    legendAdapter: 'adapter',
    legendLength: 'length is cost',
    macs: (value: string) => `${value} MACs`,
  },

  results: {
    heading: 'Result',
    help: 'Measured on test images that nothing was trained or chosen on.',
    fewer: (factor: string) => `${factor}×`,
    fewerLabel: 'fewer multiply-adds',
    worst: 'worst change of accuracy, in points',
    loseLess: 'Train longer, or allow more',
    worstUnknown: 'No test image is labelled, so only agreement is known.',
    size: 'size of the one file',
    table: 'Accuracy by task',
    task: 'Task',
    original: 'Original',
    merged: 'Joined',
    change: 'Change in points',
    agreement: 'Same as original',
    images: 'Test images',
    labelledOf: (labelled: string, images: string) => `${images}, ${labelled} labelled`,
    /** What is measured, where it is not the share of images with the right class. */
    measures: { labels: 'labels that are right', values: 'explained variance, R²' } satisfies Partial<
      Record<TaskKind, string>
    > as Partial<Record<TaskKind, string>>,
    cost: 'Cost',
    costFor: 'For one image',
    share: 'Share',
    macs: 'MACs',
    params: 'Parameters',
    milliseconds: 'Time on this device',
    saving: 'Where the saving comes from',
    left: 'still computed',
    shared: 'shared: computed once instead of several times',
    skipped: 'skipped: not computed any more',
    adapters: 'adapters, which the originals did not have',
    savingLabel: (left: string, shared: string, skipped: string) =>
      `Of the originals’ cost ${left} are still computed, ${shared} are shared and ${skipped} are skipped.`,
    download: 'Take it with you',
    onnx: 'The joined network, for any ONNX runtime: one image in, one named output per task.',
    safetensors: 'Its weights alone.',
    graft: 'Only what was added. With the network it was added to, “graftlab apply” makes merged.onnx again.',
    kept: (task: string) => `${task} is in it unchanged, bit by bit; everything else was grafted on it.`,
    report: 'One page with everything of this run, to read, print and pass on; with code to use the network.',
    json: 'Settings, plan and every number of this run.',
    from: (device: string, duration: string, seed: number) =>
      `Computed on ${device} in ${duration}, seed ${seed}.`,
    outdated: 'These results belong to networks or images that have changed since.',
  },

  images: {
    heading: 'Image by image',
    offer:
      'All networks go through the test images once more. Then you see which class was taken for which, and open the images behind every number.',
    compare: 'Compare image by image',
    comparing: 'All networks look at the test images…',
    who: 'Network',
    matrix: 'What was taken for what',
    matrixHelp:
      'Rows: what it is. Columns: what was answered. Squares on the diagonal are right answers, all others mistakes.',
    matrixHelpUnlabelled: 'Nothing is labelled. Rows: the original’s answer. Columns: this network’s answer.',
    matrixLabel: (count: string) =>
      `Confusion matrix of ${count} classes. Use the arrow keys to read single cells.`,
    matrixHint: 'Choose a cell to see its images, by pointer or with the arrow keys.',
    cell: (truth: string, answer: string, count: string) => `${truth}, answered ${answer}: ${count}`,
    help: 'Choose an image to ask all networks about it.',
    show: 'Show',
    groups: {
      lost: 'right before, wrong now',
      gained: 'wrong before, right now',
      bothWrong: 'wrong in both',
      differing: 'unlabelled, answers differ',
    },
    theCell: 'the chosen cell',
    none: 'There is none.',
    caption: (path: string, label: string, original: string, merged: string) =>
      `${path} · is ${label} · original: ${original} · joined: ${merged}`,
  },

  tryIt: {
    heading: 'Try it',
    help: 'Any image, from a file, the camera or the list above. It stays in this tab.',
    choose: 'Choose an image',
    camera: 'Use the camera',
    shoot: 'Take this picture',
    close: 'Close the camera',
    refused: 'There is no camera, or this browser was not allowed to use it.',
    seen: 'What the networks see',
    differ: 'they differ',
  },

  project: {
    label: 'Project',
    heading: 'Your project',
    keeping: {
      opening: 'opening…',
      kept: 'saved',
      keeping: 'saving…',
      elsewhere: 'not saved here',
      refused: 'not saved',
      full: 'not saved',
      failed: 'not saved',
      forgotten: 'forgotten',
    },
    why: {
      opening: 'Looking for what this browser has kept.',
      kept: 'Networks, images, settings and results are kept in this browser. They are here when you come back.',
      keeping: 'Networks, images, settings and results are being kept in this browser.',
      elsewhere:
        'The lab is open in another tab, which keeps its own. Save this one as a file, or close the other and reload.',
      refused:
        'This browser keeps nothing here, as in a private window. Save a file before you close the page.',
      full: 'This browser has no more room. Delete past runs, or save a file before you close the page.',
      failed: 'This browser could not store the last change. Save a file before you close the page.',
      forgotten: 'This browser keeps nothing of the lab’s projects any more, until you open the page again.',
    },
    restored: 'Your last project is back.',
    file: 'As one file',
    save: 'Save project',
    open: 'Open project',
    fileHelp: 'One zip with networks, images, settings and all runs, for another machine or for later.',
    forget: 'Forget everything',
    forgetSure: 'Yes, forget it',
    forgetHelp:
      'Deletes what this browser keeps of the lab’s projects, and keeps nothing more. What is on the page stays until you close it.',
    notProject: 'This is no Graftlab project, or a newer version wrote it.',
    notProjectHint: 'Open a .graftlab.zip. Images and networks go in by the steps below.',
  },

  runs: {
    heading: 'Past runs',
    help: 'Open one to see it as it was, or choose two to compare them.',
    when: 'When',
    tasks: 'Tasks',
    selector: 'Chosen by',
    fewer: 'Fewer MACs',
    drop: 'Worst change',
    open: 'Open',
    openOf: (when: string) => `Open the run of ${when}`,
    shown: 'shown',
    forget: 'Delete',
    forgetOf: (when: string) => `Delete the run of ${when}`,
    pick: (when: string) => `Compare the run of ${when}`,
    stopped: 'stopped',
    compared: 'Two runs side by side',
    pickTwo: 'Tick two runs to see them side by side.',
    same: (count: number) => `All ${count} settings are the same.`,
    differing: 'Settings that differ',
    accuracy: (task: string) => `${task}, joined`,
    total: 'Computed in',
    device: 'On',
  },

  film: {
    replay: 'Replay',
    help: 'See the run again as a film, by hand or by itself. Nothing is computed.',
    play: 'Play',
    pause: 'Pause',
    leave: 'End the replay',
    label: 'Go through the run',
    scenes: {
      score: 'Joins are scored',
      together: 'All plans train together',
      compare: 'Plans are compared',
      distil: 'The joined network learns',
    },
  },

  tour: {
    start: 'Take the tour, five minutes',
    heading: 'Tour',
    of: (at: number, all: number) => `${at} of ${all}`,
    next: 'Next',
    back: 'Back',
    end: 'End the tour',
    done: 'Done',
    stops: [
      {
        at: 'networks',
        text: 'Each network is a line, drawn to scale: its length is what one image costs. The dots are its join points, where it could be cut. Load a sample to have something to look at, then go on.',
      },
      {
        at: 'data',
        text: 'All networks look at the same images. Some train, some choose the plan, and some are kept aside to judge the result once. Nothing is uploaded; “0 bytes sent” above shows what stands behind that.',
      },
      {
        at: 'search',
        text: 'The budget says what the joined network may cost, relative to the originals apart. Everything else has a default that works; all settings are there for those who want them.',
      },
      {
        at: 'run',
        text: 'Press Run. First every possible join is scored without training: the heat map fills. Then a plan is chosen, and the joined network learns from the originals. You can stop at any time.',
      },
      {
        at: 'results',
        text: 'What came out: how much cheaper, what was lost per task, which layers are shared. Open single images, try your own, and take the file along. It appears here when a run has ended.',
      },
      {
        at: 'runs',
        text: 'All runs stay in this browser. Open one again, or put two side by side. “Project” at the top saves everything as one file.',
      },
    ],
  },

  report: {
    title: (tasks: string) => `${tasks}: joined into one network`,
    made: (when: string, how: string, version: string) => `${when}. ${how} Graftlab ${version}.`,
    stopped: 'Training was stopped before its end.',
    plan: 'Plan',
    search: 'Search',
    training: 'Training',
    settings: 'Settings',
    setting: 'Setting',
    value: 'Value',
    use: 'Using merged.onnx',
    useHelp:
      'It takes one image with values from 0 to 255 and has one named output per task. Tasks and classes are in its metadata.',
  },

  backend: {
    label: 'Computed by',
    opening: 'starting…',
    failed: 'not running',
    heading: 'Where it is computed',
    wish: 'Use',
    auto: 'Automatic',
    webgpu: 'WebGPU',
    cpu: 'CPU',
    again: 'Start again',
    locked: 'It can be changed when the run has ended.',
    broke: 'The compute core broke and was started again. Networks and images were given back to it.',
    brokeHint: 'If it happens again, switch to the CPU or use fewer or smaller images.',
    reasons: {
      self_test_passed: 'WebGPU is there and its self-test agrees with the CPU.',
      chosen: 'You chose it.',
      no_webgpu: 'This browser has no WebGPU.',
      no_adapter: 'The browser offers no WebGPU adapter on this machine.',
      software_adapter: 'The WebGPU adapter here is made of software, which is slower than the CPU directly.',
      no_timestamps: 'The WebGPU adapter has no timestamps, which the core needs.',
      building: 'The WebGPU part is still being built. Reload the page in some minutes.',
      not_built: 'This site comes without the WebGPU part.',
      self_test_failed: 'WebGPU did not pass its self-test.',
      fault: 'WebGPU broke while it worked.',
    },
    version: (version: string) => `Graftlab ${version}`,
  },

  benchmark: {
    heading: 'Benchmark this machine',
    help: 'Times the loaded networks on batches of 32 images, as npm run bench does. A few seconds for each.',
    start: 'Start',
    running: 'Timing…',
    noNetworks: 'Load a sample or your networks first.',
    work: 'Batch of 32 images',
    median: 'Median',
    save: 'Save as JSON',
  },

  privacy: {
    chip: '0 bytes sent',
    heading: 'What stands behind “0 bytes sent”',
    requests: (count: number) => `${count} ${count === 1 ? 'file' : 'files'} read`,
    elsewhere: (count: string) => `${count} requests to other addresses`,
    loads: (requests: string, bytes: string) =>
      `Page and worker have asked for ${requests} files (${bytes}) since this page was opened, all from its own address. They only ask: nothing is sent along.`,
    noneSince: 'Since everything was there, not one more.',
    since: (count: number) => `Since everything was there: ${count} more.`,
    every: 'Every request',
    by: { page: 'page', worker: 'worker' },
    policy:
      'Page and worker come with a content security policy, connect-src ‘self’: the browser refuses any connection to another address, whatever the code tries.',
    check: 'Try to reach another address',
    answers: {
      checking: 'Trying…',
      refused: 'Refused by the browser, in the page and in the worker.',
      not_refused:
        'Not refused: this host serves the lab without its security headers. Nothing was sent, but nothing would stop it.',
      unanswered:
        'Refused by the browser in the page. The worker did not answer, so nothing is known of it: try again.',
    },
  },

  offline: {
    none: 'This browser does not keep the lab. An open tab goes on without a network; a reload needs one.',
    storing: 'The lab is being stored in this browser…',
    stored: 'The lab is stored in this browser: it opens and works without a network.',
    newer: 'There is a newer version.',
    newerHelp: 'The page is loaded anew, and what is saved comes back.',
    newerLater: 'Change to it when the run has ended.',
    change: 'Change to it',
  },

  problem: {
    next: 'What to do',
    dismiss: 'Dismiss',
    useBudget: (budget: string) => `Use ${budget}`,
    unreadable: (name: string) => `${name} could not be loaded.`,
    unreadableHint: 'See that the file is on the server, then try again.',
    unknownFiles: (names: string) => `Nothing to do with ${names}.`,
    unknownFilesHint: 'Drop ONNX files, a zip of images, or a folder of images.',
    oneZip: 'Only the first zip was loaded.',
    oneZipHint: 'Put all images into one zip or one folder.',
    busy: 'Files can’t be changed during a run.',
    busyHint: 'Stop the run first.',
  },

  footer: {
    about: 'Graftlab is free software, MIT or Apache-2.0.',
  },

  units: { seconds: 's', minutes: 'min', hours: 'h' },
};

export type Texts = typeof en;

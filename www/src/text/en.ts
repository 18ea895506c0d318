import type { SelectorName } from '../worker/core';

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
    classes: (count: string) => `${count} classes`,
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

  form: {
    heading: (file: string) => `What does ${file} do?`,
    task: 'Task',
    taskHelp: 'One word, for example “species”. If your labels.csv has a column for it, use the same word.',
    classes: 'Class names',
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
    skipped: (count: string) => `Files skipped: ${count}`,
    path: 'File',
    reason: 'Reason',
    replace: 'Use other images',
  },

  settings: {
    heading: 'Search',
    help: 'How small the joined network must be, and how to look for it.',
    budget: 'Budget',
    budgetValue: (percent: string) => `at most ${percent} of the cost`,
    budgetMacs: (merged: string, all: string) => `${merged} of ${all} MACs for one image`,
    budgetFloor: (name: string, percent: string) =>
      `Below ${percent} no plan can go without skipping layers of ${name}, the cheapest network.`,
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
    quickHelp: 'About 2 minutes for a sample on the CPU. Shows how it goes; the accuracy is not the aim.',
    full: 'Full',
    fullHelp: 'About 6 to 8 minutes for a sample on the CPU. Trains until the joined network holds up.',
    seed: 'Seed',
    seedHelp: 'Same seed, same backend: same plan.',
  },

  run: {
    heading: 'Run',
    help: 'Candidates are scored, a plan is chosen, and the joined network learns from the originals.',
    start: 'Run',
    again: 'Run again',
    stop: 'Stop',
    stopping: 'Stopping…',
    stopHelp: 'Stopping while it distils keeps the network as trained so far.',
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

  heat: {
    heading: 'Where could they join?',
    help: 'Each cell is one join: the line on the left lends its features, the line on top goes on from there. The fuller the cell, the more often the graft agrees with the original, before any training.',
    label: (donors: string, count: string) =>
      `Heat map of ${count} scored joins between ${donors}. Use the arrow keys to read single cells.`,
    cell: (donor: string, dPoint: number, receiver: string, rPoint: number) =>
      `${donor} at ${dPoint} into ${receiver} at ${rPoint}`,
    agreement: 'agreement',
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
    accuracyHelp: 'Solid: joined network. Dashed: its original.',
    accuracyLabel: (parts: string) => `Validation accuracy by training step. ${parts}`,
    accuracyPart: (task: string, student: string, teacher: string) =>
      `${task}: ${student}, original ${teacher}.`,
    step: 'step',
    waiting: 'Curves appear here when training starts.',
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
  },

  finalists: {
    heading: 'Plans compared',
    help: 'Each is trained briefly. The better half goes on to the next round with twice the images.',
    plan: 'Plan',
    cost: 'Cost',
    drop: 'Worst drop in points, after images',
    chosen: 'chosen',
    more: (count: string) => `${count} more plans did worse; run.json has them all.`,
  },

  plan: {
    apart: 'Apart',
    joined: 'Joined',
    label: (parts: string) => `Plan drawing. ${parts}`,
    root: (name: string) => `${name} keeps its own input.`,
    join: (name: string, donor: string, dPoint: number, rPoint: number) =>
      `${name} starts at its join point ${rPoint} from ${donor}’s join point ${dPoint}.`,
    shortcut: (name: string, from: number, to: number) =>
      `${name} keeps its own input and skips its layers between join points ${from} and ${to}.`,
    legendPoint: 'join point',
    legendStation: 'features shared from here',
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
    worstUnknown: 'No test image is labelled, so only agreement is known.',
    size: 'size of the one file',
    table: 'Accuracy by task',
    task: 'Task',
    original: 'Original',
    merged: 'Joined',
    change: 'Change in points',
    agreement: 'Agreement',
    images: 'Test images',
    labelledOf: (labelled: string, images: string) => `${images}, ${labelled} labelled`,
    cost: 'Cost',
    costFor: 'For one image',
    macs: 'MACs',
    params: 'Parameters',
    milliseconds: 'Time on this device',
    saving: 'Where the saving comes from',
    left: 'still computed',
    shared: 'shared: computed once instead of several times',
    skipped: 'skipped: computed by nobody any more',
    adapters: 'adapters, which the originals did not have',
    savingLabel: (left: string, shared: string, skipped: string) =>
      `Of the originals’ cost ${left} are still computed, ${shared} are shared and ${skipped} are skipped.`,
    download: 'Take it with you',
    onnx: 'The joined network, for any ONNX runtime: one image in, one named output per task.',
    safetensors: 'Its weights alone.',
    json: 'Settings, plan and every number of this run.',
    from: (device: string, duration: string, seed: number) =>
      `Computed on ${device} in ${duration}, seed ${seed}.`,
    outdated: 'These results belong to networks or images that have changed since.',
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

  privacy: {
    chip: '0 bytes sent',
    heading: 'What stands behind “0 bytes sent”',
    policy:
      'This page and its worker come with a content security policy, connect-src ‘self’: the browser refuses any connection to another address, whatever the code tries.',
    loads: (files: string, bytes: string) =>
      `From its own address the page has loaded ${files} files (${bytes}). It sends no file there: it only asks.`,
    offline: 'Once loaded, this tab also works with the network unplugged.',
    check: 'Try to reach another address',
    checking: 'Trying…',
    refused: 'Refused by the browser, in the page and in the worker.',
    open: 'Not refused: this host serves the lab without its security headers. Nothing was sent, but nothing would stop it.',
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

/** The window's icons by what they mean. One import an icon, so that the bundle holds only these. */
import ArrowDown from '@lucide/svelte/icons/arrow-down';
import ArrowRight from '@lucide/svelte/icons/arrow-right';
import ArrowUp from '@lucide/svelte/icons/arrow-up';
import Ban from '@lucide/svelte/icons/ban';
import CaseSensitive from '@lucide/svelte/icons/case-sensitive';
import ChartLine from '@lucide/svelte/icons/chart-line';
import Check from '@lucide/svelte/icons/check';
import ChevronDown from '@lucide/svelte/icons/chevron-down';
import ChevronRight from '@lucide/svelte/icons/chevron-right';
import ChevronUp from '@lucide/svelte/icons/chevron-up';
import Clock from '@lucide/svelte/icons/clock';
import Command from '@lucide/svelte/icons/command';
import Copy from '@lucide/svelte/icons/copy';
import CornerDownLeft from '@lucide/svelte/icons/corner-down-left';
import Delete from '@lucide/svelte/icons/delete';
import Dices from '@lucide/svelte/icons/dices';
import Download from '@lucide/svelte/icons/download';
import Ellipsis from '@lucide/svelte/icons/ellipsis';
import ExternalLink from '@lucide/svelte/icons/external-link';
import File from '@lucide/svelte/icons/file';
import Folder from '@lucide/svelte/icons/folder';
import Globe from '@lucide/svelte/icons/globe';
import Hash from '@lucide/svelte/icons/hash';
import Keyboard from '@lucide/svelte/icons/keyboard';
import KeyRound from '@lucide/svelte/icons/key-round';
import Layers from '@lucide/svelte/icons/layers';
import MemoryStick from '@lucide/svelte/icons/memory-stick';
import Minus from '@lucide/svelte/icons/minus';
import Option from '@lucide/svelte/icons/option';
import ArrowBigUp from '@lucide/svelte/icons/arrow-big-up';
import Pause from '@lucide/svelte/icons/pause';
import Pencil from '@lucide/svelte/icons/pencil';
import Play from '@lucide/svelte/icons/play';
import Plus from '@lucide/svelte/icons/plus';
import Radio from '@lucide/svelte/icons/radio';
import RotateCw from '@lucide/svelte/icons/rotate-cw';
import Search from '@lucide/svelte/icons/search';
import Send from '@lucide/svelte/icons/send';
import Settings2 from '@lucide/svelte/icons/settings-2';
import Shield from '@lucide/svelte/icons/shield';
import Tag from '@lucide/svelte/icons/tag';
import Terminal from '@lucide/svelte/icons/terminal';
import TextAlignStart from '@lucide/svelte/icons/text-align-start';
import TextCursorInput from '@lucide/svelte/icons/text-cursor-input';
import TextWrap from '@lucide/svelte/icons/text-wrap';
import Trash2 from '@lucide/svelte/icons/trash-2';
import Undo2 from '@lucide/svelte/icons/undo-2';
import Workflow from '@lucide/svelte/icons/workflow';
import X from '@lucide/svelte/icons/x';
import Zap from '@lucide/svelte/icons/zap';
import Braces from '@lucide/svelte/icons/braces';

/** Drawings of our own, as the path of a 24 px square: Icon.svelte strokes them as the others are. */
const cell = 'M12 2.7l8.1 4.6v9.4L12 21.3l-8.1-4.6V7.3zM12 8.1l3.4 2v3.8l-3.4 2-3.4-2v-3.8z'; // of the mark
const square = 'M5.7 5.7h12.6v12.6H5.7z'; // as large as the triangle of "start" looks

export const icons = {
  containers: cell,
  images: Layers,
  settings: Settings2,
  search: Search,
  plus: Plus,
  minus: Minus,
  play: Play,
  stop: square,
  pause: Pause,
  restart: RotateCw,
  kill: Zap,
  trash: Trash2,
  terminal: Terminal,
  logs: TextAlignStart,
  stats: ChartLine,
  inspect: Braces,
  open: ExternalLink,
  more: Ellipsis,
  x: X,
  check: Check,
  right: ChevronRight,
  down: ChevronDown,
  up: ChevronUp,
  arrow: ArrowRight,
  arrowup: ArrowUp,
  arrowdown: ArrowDown,
  copy: Copy,
  folder: Folder,
  globe: Globe,
  clock: Clock,
  dice: Dices,
  key: KeyRound,
  memory: MemoryStick,
  file: File,
  download: Download,
  wrap: TextWrap,
  case: CaseSensitive,
  shield: Shield,
  ban: Ban,
  listen: Radio,
  send: Send,
  tag: Tag,
  threads: Workflow,
  args: TextCursorInput,
  rename: Pencil,
  undo: Undo2,
  keyboard: Keyboard,
  number: Hash,
  cmd: Command,
  opt: Option,
  shift: ArrowBigUp,
  enter: CornerDownLeft,
  del: Delete,
} as const;
export type Icon = keyof typeof icons;

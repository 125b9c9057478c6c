/** Names for containers that were not given one. */
import { randomInt } from 'node:crypto';

const moods =
  'able brave bright brisk calm clever cosy daring eager fair fond frank gentle glad happy hardy honest jolly keen kind lively loyal lucky mellow merry mighty modest neat nimble noble patient plucky proud quick quiet ready robust serene sharp shiny sincere sleek smart solid sound spry steady stout sturdy sunny swift tidy trim trusty upbeat vivid warm wise witty zesty'.split(
    ' ',
  );
const vessels =
  'anchor ballast barge barque beacon binnacle bosun bow bowline brig bulwark buoy cabin capstan caravel catamaran clipper cockle compass cutter davit deck dhow dinghy dock ferry fjord frigate galleon galley gangway halyard harbour hawser helm hull jetty jib junk keel ketch lagoon lanyard lighter lugger mast mooring oar packet pennant pier pilot pinnace pontoon port prow punt quay raft rigging rudder sail schooner sextant skiff skipper slipway sloop spar starboard stern tide tiller trawler tug wharf windlass xebec yacht yawl'.split(
    ' ',
  );

/** "brisk_schooner"; with a number when that is taken. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const name = `${moods[randomInt(moods.length)] ?? ''}_${vessels[randomInt(vessels.length)] ?? ''}`;
    const candidate = attempt < 3 ? name : `${name}${randomInt(10 ** Math.min(12, attempt))}`;
    if (!isTaken(candidate)) return candidate;
  }
}

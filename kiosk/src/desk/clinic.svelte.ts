// What rarely changes and every screen needs: practitioners, their sessions and leaves, rooms, services, closed days.
import type { ClosedDay, HealthcareService, Leave, Location, Practitioner, Schedule } from '../lib/shapes';
import type { Noun } from '../lib/live';
import { Problem } from '../lib/api';
import { list } from './box';
import { soon } from './soon';

class ClinicLists {
  practitioners = $state.raw<Practitioner[]>([]);
  locations = $state.raw<Location[]>([]);
  services = $state.raw<HealthcareService[]>([]);
  schedules = $state.raw<Schedule[]>([]);
  leaves = $state.raw<Leave[]>([]);
  closedDays = $state.raw<ClosedDay[]>([]);
  ready = $state(false);

  active = $derived(this.practitioners.filter((practitioner) => practitioner.active));
  /** Those that can be booked. */
  usableServices = $derived(this.services.filter((service) => service.active));
  specialties = $derived([...new Set(this.active.flatMap((practitioner) => practitioner.specialties))].sort());
  #byId = $derived(new Map(this.practitioners.map((practitioner) => [practitioner.id, practitioner])));
  #placeById = $derived(new Map(this.locations.map((location) => [location.id, location])));

  #stale = new Set<Noun>();
  #readStale = soon(async () => {
    const nouns = [...this.#stale];
    try {
      await this.#read(nouns);
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause;
      for (const noun of nouns) this.#stale.add(noun);
    }
  });

  load(): Promise<void> {
    return this.#read(['practitioner', 'location', 'healthcare_service', 'schedule', 'leave', 'closed_day']);
  }

  changed(noun: Noun): void {
    this.#stale.add(noun);
    this.#readStale();
  }

  practitioner(id: string | null): Practitioner | null {
    return id === null ? null : (this.#byId.get(id) ?? null);
  }

  /** A name to show, empty while the list is on its way. */
  nameOf(practitionerId: string | null): string {
    return this.practitioner(practitionerId)?.name ?? '';
  }

  placeName(locationId: string | null): string | null {
    return locationId === null ? null : (this.#placeById.get(locationId)?.name ?? null);
  }

  async #read(nouns: Noun[]): Promise<void> {
    for (const noun of nouns) this.#stale.delete(noun);
    const read = <T>(noun: Noun, ask: () => Promise<T[]>) => (nouns.includes(noun) ? ask() : null);
    const [practitioners, locations, services, schedules, leaves, closedDays] = await Promise.all([
      read<Practitioner>('practitioner', () => list('practitioners')),
      read<Location>('location', () => list('locations')),
      read<HealthcareService>('healthcare_service', () => list('healthcare-services')),
      read<Schedule>('schedule', () => list('schedules')),
      read<Leave>('leave', () => list('leaves')),
      read<ClosedDay>('closed_day', () => list('closed-days')),
    ]);
    // All at once: each of them alone would draw the whole grid again.
    this.practitioners = practitioners?.toSorted(byName) ?? this.practitioners;
    this.locations = locations ?? this.locations;
    this.services = services ?? this.services;
    this.schedules = schedules ?? this.schedules;
    this.leaves = leaves ?? this.leaves;
    this.closedDays = closedDays ?? this.closedDays;
    this.ready = true;
  }
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name);
}

export const lists = new ClinicLists();
